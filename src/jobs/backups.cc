#include "jobs/backups.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "engine/backup_operation.h"

namespace standings::jobs {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr auto kLookEvery = std::chrono::milliseconds(50);
constexpr auto kRetryAfter = std::chrono::minutes(1);
// Left free for the server itself while a copy is written.
constexpr std::uint64_t kSpareBytes = std::uint64_t{256} << 20;

// Where the committer brings a backup back to. One thread waits.
class Waiting final : public engine::Mailbox {
  public:
    void deliver(std::vector<std::unique_ptr<engine::Operation>> finished) override {
        const std::lock_guard hold(mutex_);
        operation_ = std::move(finished.front());
        arrived_.notify_all();
    }
    // Null when nothing came within `patience`.
    std::unique_ptr<engine::Operation> take(std::chrono::milliseconds patience) {
        std::unique_lock hold(mutex_);
        arrived_.wait_for(hold, patience, [this] { return operation_ != nullptr; });
        return std::move(operation_);
    }

  private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::unique_ptr<engine::Operation> operation_;
};

}  // namespace

Backups::Backups(engine::Engine& engine, JobList& jobs, const BackupOptions& options,
                 BackupFolder folder, std::string version)
    : engine_(engine),
      jobs_(jobs),
      options_(options),
      folder_(std::move(folder)),
      version_(std::move(version)) {}

Result<std::unique_ptr<Backups>> Backups::open(engine::Engine& engine, JobList& jobs,
                                               const BackupOptions& options, std::string version) {
    auto folder = BackupFolder::open(options.folder);
    if (!folder) return folder.error();
    std::unique_ptr<Backups> backups(
        new Backups(engine, jobs, options, *std::move(folder), std::move(version)));
    const auto all = backups->folder_.list();
    if (!all.empty()) backups->note(all.front());
    if (options.every.count() > 0) {
        backups->schedule_ = std::thread([self = backups.get()] { self->keep_schedule(); });
    }
    return backups;
}

Backups::~Backups() {
    stop();
    // One that runs uses what ends here; after a start that failed nobody else has ended it.
    jobs_.stop();
}

void Backups::stop() {
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
        ended_.notify_all();
    }
    if (schedule_.joinable()) schedule_.join();
}

Result<Job> Backups::start() {
    return jobs_.start("backup", "bytes", [this](JobControl& control) { return make(control); });
}

void Backups::note(const BackupManifest& manifest) {
    statistics_.last_at_ms = manifest.created_at.ms;
    statistics_.last_bytes = manifest.bytes;
    statistics_.last_took_ms = manifest.took_ms;
}

Result<std::string> Backups::make(JobControl& control) {
    const std::string part = folder_.file("standings-" + std::to_string(::getpid()) + ".db.part");
    ::unlink(part.c_str());  // of a failure before
    auto made = make_file(control, part);
    if (made) {
        ++statistics_.made;
        options_.log->write(base::LogLevel::kInfo, "backup made",
                            {{"name", *made},
                             {"bytes", statistics_.last_bytes.load()},
                             {"took_ms", statistics_.last_took_ms.load()}});
        return made;
    }
    ::unlink(part.c_str());
    if (made.error().code == ErrorCode::kCancelled) return made;
    ++statistics_.failed;
    // Of one on the schedule nobody else would hear.
    options_.log->write(base::LogLevel::kError, "backup failed", {{"detail", made.error().detail}});
    return made;
}

Result<std::string> Backups::make_file(JobControl& control, const std::string& part) {
    const auto began = engine_.clock().monotonic();
    if (auto enough = check_space(); !enough) return enough.error();
    control.say("copying");
    const auto seq = copy(control, part);
    if (!seq) return seq.error();

    control.say("making it durable, and reading it");
    auto facts = engine_.seal_backup(part);
    if (!facts) return facts.error();
    if (facts->seq != *seq) {
        return Error{ErrorCode::kIntegrity, "the copy ends with event " +
                                                std::to_string(facts->seq.value) + ", not " +
                                                std::to_string(seq->value)};
    }
    const auto sum = sum_file(part, [&] { return control.cancelled(); });
    if (!sum) return sum.error();

    BackupManifest manifest{.version = version_, .created_at = engine_.clock().now()};
    manifest.name = backup_name(manifest.created_at, facts->seq);
    manifest.bytes = sum->bytes;
    manifest.crc32c = sum->crc32c;
    manifest.took_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(engine_.clock().monotonic() - began)
            .count());
    manifest.facts = *std::move(facts);
    if (auto done = put_in_place(part, folder_.file(manifest.name), manifest); !done) {
        return done.error();
    }
    note(manifest);
    if (auto kept = folder_.keep(std::max<std::size_t>(options_.keep, 1)); !kept) {
        return kept.error().with_context("remove old backups");
    }
    return manifest.name;
}

Result<void> Backups::check_space() const {
    const auto space = folder_.space();
    if (!space) return space.error();
    const std::uint64_t needed = engine_.statistics().database_bytes + kSpareBytes;
    if (*space >= needed) return {};
    return Error{ErrorCode::kNoSpace,
                 "the disk of " + folder_.path() + " has " + std::to_string(*space >> 20) +
                     " MB free; a backup needs " + std::to_string(needed >> 20) +
                     ". Delete old backups, or keep fewer."};
}

Result<base::Sequence> Backups::copy(JobControl& control, const std::string& part) {
    Waiting waiting;
    const auto state = std::make_shared<engine::BackupState>();
    std::unique_ptr<engine::Operation> operation =
        std::make_unique<engine::BackupOperation>(waiting, part, state);
    if (auto taken = engine_.submit(operation); !taken) return taken.error();
    // The committer brings it back in any case; until then `waiting` must live.
    while (!(operation = waiting.take(kLookEvery))) {
        control.report(state->done_bytes, state->total_bytes);
        if (control.cancelled()) state->cancelled = true;
    }
    control.report(state->done_bytes, state->total_bytes);
    const auto& backup = static_cast<engine::BackupOperation&>(*operation);
    if (backup.error) return *backup.error;
    return backup.seq;
}

void Backups::keep_schedule() {
    std::unique_lock hold(mutex_);
    auto next = engine_.clock().monotonic();
    const auto newest = statistics_.last_at_ms.load();
    if (newest > 0) {
        // A clock that was set back must not put it off for longer than `every`.
        const auto age =
            std::chrono::milliseconds(std::max<std::int64_t>(engine_.clock().now().ms - newest, 0));
        next += std::max<base::Monotonic>(options_.every - age, base::Monotonic::zero());
    }
    while (!stopping_) {
        const auto wait = next - engine_.clock().monotonic();
        if (wait > base::Monotonic::zero()) {
            ended_.wait_for(hold, wait, [this] { return stopping_; });
            continue;
        }
        const bool begun = static_cast<bool>(start());
        next = engine_.clock().monotonic() +
               (begun ? base::Monotonic(options_.every) : base::Monotonic(kRetryAfter));
    }
}

}  // namespace standings::jobs
