#include "jobs/backups.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/backup_operation.h"
#include "engine/spool.h"

namespace standings::jobs {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr auto kTryAgainAfter = std::chrono::milliseconds(20);
// While the moment is pinned, the write-ahead log grows: a little more of the disk for it.
constexpr std::uint64_t kPinnedPace = 4;
// The disk is looked at again after so much of the copy.
constexpr std::uint64_t kLookAtDiskBytes = std::uint64_t{64} << 20;

// Where the committer brings a backup back to. One thread waits.
class Waiting final : public engine::Mailbox {
  public:
    void deliver(std::vector<std::unique_ptr<engine::Operation>> finished) override {
        const std::lock_guard hold(mutex_);
        operation_ = std::move(finished.front());
        arrived_.notify_all();
    }
    std::unique_ptr<engine::Operation> take() {
        std::unique_lock hold(mutex_);
        arrived_.wait(hold, [this] { return operation_ != nullptr; });
        return std::move(operation_);
    }

  private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::unique_ptr<engine::Operation> operation_;
};

// Leaves the disk to the submissions: docs/decisions/0005-backup-copy.md.
class Pace {
  public:
    Pace(JobControl& control, const base::Clock& clock, std::uint64_t bytes_per_second)
        : control_(control),
          clock_(clock),
          rate_(static_cast<double>(bytes_per_second)),
          due_(clock.monotonic()) {}

    // Waits until `bytes` more are due; false when the job is cancelled. What was late is not made
    // up for: it was late because the disk was slow.
    bool keep(std::uint64_t bytes) {
        const std::chrono::duration<double> takes(static_cast<double>(bytes) / rate_);
        const base::Monotonic now = clock_.monotonic();
        due_ = std::max(due_ + std::chrono::duration_cast<base::Monotonic>(takes), now);
        return due_ > now ? control_.wait(due_ - now) : !control_.cancelled();
    }

  private:
    JobControl& control_;
    const base::Clock& clock_;
    const double rate_;
    base::Monotonic due_;
};

Error was_cancelled() {
    return {ErrorCode::kCancelled, "It was cancelled."};
}

}  // namespace

Backups::Backups(engine::Engine& engine, JobList& jobs, const BackupOptions& options,
                 BackupFolder folder, std::string version)
    : engine_(engine),
      jobs_(jobs),
      options_(options),
      folder_(std::move(folder)),
      version_(std::move(version)),
      retry_after_(options.retry_after) {}

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
        changed_.notify_all();
    }
    if (schedule_.joinable()) schedule_.join();
}

Result<BegunJob> Backups::start(const std::optional<engine::RequestKey>& key) {
    return jobs_.start(
        "backup", "bytes", [this](JobControl& control) { return make(control); }, key);
}

void Backups::note(const BackupManifest& manifest) {
    statistics_.last_at_ms = manifest.created_at.ms;
    statistics_.last_bytes = manifest.bytes;
    statistics_.last_took_ms = manifest.took_ms;
}

Result<std::string> Backups::make(JobControl& control) {
    const Unfinished unfinished = folder_.begin();
    const auto made = make_file(control, unfinished.part());
    if (made) {
        ++statistics_.made;
        options_.log->write(
            base::LogLevel::kInfo, "backup made",
            {{"name", made->name}, {"bytes", made->bytes}, {"took_ms", made->took_ms}});
        retry_after_ = options_.retry_after;
        put_off(options_.every);
        const auto kept =
            folder_.keep(std::max<std::size_t>(options_.keep, 1), made->facts.database_id);
        if (!kept) {
            // The new one is there: to make another one soon would only fill the disk.
            options_.log->write(base::LogLevel::kError, "old backups stay",
                                {{"detail", kept.error().detail}});
        }
        return made->name;
    }
    for (const std::string& file : part_files(unfinished.part())) ::unlink(file.c_str());
    if (made.error().code == ErrorCode::kCancelled) return made.error();
    ++statistics_.failed;
    // Of one on the schedule nobody else would hear.
    options_.log->write(base::LogLevel::kError, "backup failed", {{"detail", made.error().detail}});
    put_off(retry_after_);
    // What stays broken, such as a full disk, is not tried at the same pace for ever.
    retry_after_ = std::min<base::Monotonic>(retry_after_ * 2, options_.every);
    return made.error();
}

void Backups::put_off(base::Monotonic time) {
    const std::lock_guard hold(mutex_);
    due_ = engine_.clock().monotonic() + time;
    changed_.notify_all();
}

Result<BackupManifest> Backups::make_file(JobControl& control, const std::string& part) {
    const auto began = engine_.clock().monotonic();
    if (auto enough = check_space(engine_.statistics().database_bytes); !enough)
        return enough.error();
    control.say("copying");
    const auto copied = copy(control, part);
    if (!copied) return copied.error();

    control.say("making it durable, and reading it");
    auto facts = engine_.seal_backup(part, [&] { return control.cancelled(); });
    if (!facts) return facts.error();
    if (facts->seq != copied->seq) {
        return Error{ErrorCode::kIntegrity, "the copy ends with event " +
                                                std::to_string(facts->seq.value) + ", not " +
                                                std::to_string(copied->seq.value)};
    }
    control.say("reading it again for its checksum");
    Pace pace(control, engine_.clock(), options_.bytes_per_second);
    std::error_code ignored;
    const std::uint64_t size = std::filesystem::file_size(part, ignored);
    std::uint64_t read = 0;
    const auto sum = sum_file(part, [&](std::uint64_t bytes) {
        control.report(copied->bytes + bytes, copied->bytes + std::max(bytes, size));
        return pace.keep(bytes - std::exchange(read, bytes));
    });
    if (!sum) return sum.error();

    BackupManifest manifest{.version = version_, .created_at = copied->at};
    manifest.name = folder_.new_name(manifest.created_at, facts->seq);
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
    return manifest;
}

Result<void> Backups::check_space(std::uint64_t still_to_write) const {
    const auto space = folder_.space();
    if (!space) return space.error();
    const std::uint64_t needed = still_to_write + engine::kSpareDiskBytes;
    if (*space >= needed) return {};
    return Error{ErrorCode::kNoSpace,
                 "the disk of " + folder_.path() + " has " + std::to_string(*space >> 20) +
                     " MB free; the backup needs " + std::to_string(needed >> 20) +
                     ". Delete old backups, or keep fewer."};
}

// Has the committer begin the copy, or pin it, and waits until it has.
Result<Backups::Copy> Backups::at_committer(JobControl& control, const std::string& part,
                                            Copy copy) {
    Waiting waiting;
    auto backup = std::make_unique<engine::BackupOperation>(waiting, part);
    backup->copy = std::move(copy.made);
    std::unique_ptr<engine::Operation> operation = std::move(backup);
    while (true) {
        const auto taken = engine_.submit(operation);
        if (taken) break;
        // A moment of overload is no reason to give up what was copied for minutes.
        if (taken.error().code != ErrorCode::kOverloaded) return taken.error();
        if (!control.wait(kTryAgainAfter)) return was_cancelled();
    }
    // The committer brings it back in any case.
    operation = waiting.take();
    auto& done = static_cast<engine::BackupOperation&>(*operation);
    if (done.error) return *done.error;
    return Copy{std::move(done.copy), done.seq, engine_.clock().now(), 0};
}

Result<Backups::Copy> Backups::copy(JobControl& control, const std::string& part) {
    auto copy = at_committer(control, part, {});
    if (!copy) return copy.error();
    Pace pace(control, engine_.clock(), options_.bytes_per_second);
    std::uint64_t done_bytes = 0;
    std::uint64_t look_at_disk = kLookAtDiskBytes;
    bool pinned = false;
    while (true) {
        const auto progress = copy->made->step();
        if (!progress) return progress.error();
        // Then all of it is read again.
        control.report(progress->done_bytes, 2 * progress->total_bytes);
        copy->bytes = progress->done_bytes;
        if (progress->complete) {
            copy->made.reset();
            return copy;
        }
        if (progress->wants_pin) {
            copy = at_committer(control, part, *std::move(copy));
            if (!copy) return copy.error();
            pinned = true;
        }
        if (progress->done_bytes >= look_at_disk) {
            look_at_disk += kLookAtDiskBytes;
            if (auto enough = check_space(0); !enough) return enough.error();
        }
        const std::uint64_t bytes =
            progress->done_bytes - std::exchange(done_bytes, progress->done_bytes);
        if (!pace.keep(pinned ? bytes / kPinnedPace : bytes)) return was_cancelled();
    }
}

void Backups::keep_schedule() {
    std::unique_lock hold(mutex_);
    due_ = engine_.clock().monotonic();
    const auto newest = statistics_.last_at_ms.load();
    if (newest > 0) {
        // A clock that was set back must not put it off for longer than `every`.
        const auto age =
            std::chrono::milliseconds(std::max<std::int64_t>(engine_.clock().now().ms - newest, 0));
        due_ += std::max<base::Monotonic>(options_.every - age, base::Monotonic::zero());
    }
    while (!stopping_) {
        const auto wait = due_ - engine_.clock().monotonic();
        if (wait > base::Monotonic::zero()) {
            changed_.wait_for(hold, wait);
            continue;
        }
        // Its end says when the next one is due; one that is cancelled is left at that.
        const bool begun = static_cast<bool>(start());
        due_ = engine_.clock().monotonic() +
               (begun ? base::Monotonic(options_.every) : base::Monotonic(options_.retry_after));
    }
}

}  // namespace standings::jobs
