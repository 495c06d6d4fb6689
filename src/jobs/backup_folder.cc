#include "jobs/backup_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "base/hash.h"
#include "base/random.h"
#include "base/write_all.h"
#include "text/json_document.h"
#include "text/json_writer.h"

namespace standings::jobs {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::string_view kDatabaseEnd = ".db";
constexpr std::string_view kManifestEnd = ".json";
constexpr std::string_view kPartEnd = ".part";
constexpr std::size_t kPartDigits = 16;
// What lies beside a part while it is made: SQLite's, and the manifest until it has its name.
constexpr std::string_view kPartEnds[] = {"", "-journal", "-wal", "-shm", ".json"};
// Of a copy in a folder of backups, before the digits.
constexpr std::string_view kOwnPart = "standings-backup";
constexpr std::size_t kReadBytes = std::size_t{1} << 20;

class File {
  public:
    File(const std::string& path, int flags)
        : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int descriptor() const { return descriptor_; }

  private:
    int descriptor_;
};

Error failed(const std::string& doing) {
    const int why = errno;
    return {why == ENOSPC || why == EDQUOT ? ErrorCode::kNoSpace : ErrorCode::kIo,
            "cannot " + doing + ": " + std::strerror(why)};
}

Result<void> sync(const std::string& path, int flags) {
    const File file(path, flags);
    if (file.descriptor() < 0 || ::fsync(file.descriptor()) != 0) return failed("sync " + path);
    return {};
}

Result<void> write_durably(const std::string& path, const std::string& text) {
    {
        const File file(path, O_WRONLY | O_CREAT | O_EXCL);
        const bool written = file.descriptor() >= 0 && base::write_all(file.descriptor(), text) &&
                             ::fsync(file.descriptor()) == 0;
        if (!written) return failed("write " + path);
    }
    return {};
}

std::string parent_of(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path().string();
    return parent.empty() ? "." : parent;
}

Result<void> move_durably(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("write " + to);
    return sync(parent_of(to), O_RDONLY | O_DIRECTORY);
}

std::string hex(std::uint64_t number, std::size_t digits) {
    std::string text(digits, '0');
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4) {
        *digit = "0123456789abcdef"[number & 15];
    }
    return text;
}

// Whether BackupFolder::new_name() makes such names.
bool is_backup_name(std::string_view name) {
    std::string shape(name);
    std::replace_if(
        shape.begin(), shape.end(), [](char c) { return c >= '0' && c <= '9'; }, '0');
    constexpr std::string_view kStart = "standings-00000000T000000Z-";
    if (!shape.starts_with(kStart) || !shape.ends_with(kDatabaseEnd)) return false;
    std::string_view rest(shape);
    rest.remove_prefix(kStart.size());
    rest.remove_suffix(kDatabaseEnd.size());
    const std::size_t seq_end = std::min(rest.find_first_not_of('0'), rest.size());
    if (seq_end == 0) return false;
    const std::string_view more = rest.substr(seq_end);
    return more.empty() || (more.size() > 1 && more.front() == '-' &&
                            more.find_first_not_of('0', 1) == std::string_view::npos);
}

// Whether it belongs to a copy in a folder of backups.
bool is_own_part(std::string_view name) {
    if (!name.starts_with(kOwnPart)) return false;
    name.remove_prefix(kOwnPart.size());
    if (!name.starts_with('.')) return false;
    name.remove_prefix(1);
    if (name.find_first_not_of("0123456789abcdef") != kPartDigits) return false;
    name.remove_prefix(kPartDigits);
    return std::any_of(std::begin(kPartEnds), std::end(kPartEnds), [&](std::string_view end) {
        return name.starts_with(kPartEnd) && name.substr(kPartEnd.size()) == end;
    });
}

// The members of a manifest, each of which must be there.
class Members {
  public:
    Members(const text::JsonDocument& document, const text::JsonNode& object)
        : document_(document), object_(object) {}

    std::string text(std::string_view key) {
        const auto* node = document_.member(object_, key);
        if (node == nullptr || !node->is_string()) return fail();
        return std::string(node->text);
    }
    template <class Number>
    Number number(std::string_view key) {
        const auto* node = document_.member(object_, key);
        return node != nullptr && node->is_number() ? parse<Number>(node->text, 10)
                                                    : Number(fail_0());
    }
    template <class Number>
    Number hex(std::string_view key) {
        return parse<Number>(text(key), 16);
    }
    bool ok() const { return ok_; }

  private:
    template <class Number>
    Number parse(std::string_view text, int radix) {
        Number value{};
        const char* end = text.data() + text.size();
        const auto [at, failure] = std::from_chars(text.data(), end, value, radix);
        if (failure != std::errc{} || at != end) ok_ = false;
        return value;
    }
    std::string fail() {
        ok_ = false;
        return {};
    }
    int fail_0() {
        ok_ = false;
        return 0;
    }

    const text::JsonDocument& document_;
    const text::JsonNode& object_;
    bool ok_ = true;
};

}  // namespace

std::string to_json(const BackupManifest& manifest) {
    std::string out = "{";
    text::append_member(out, "name", manifest.name);
    out += ",\"bytes\":";
    text::append_number(out, manifest.bytes);
    out += ',';
    text::append_member(out, "created_at", base::rfc3339(manifest.created_at));
    out += ',';
    text::append_member(out, "epoch", manifest.facts.epoch);
    out += ",\"seq\":";
    text::append_number(out, manifest.facts.seq.value);
    out += ',';
    text::append_member(out, "chain", hex(manifest.facts.chain, 16));
    out += ',';
    text::append_member(out, "database_id", manifest.facts.database_id);
    out += ",\"boards\":";
    text::append_number(out, manifest.facts.boards);
    out += ",\"players\":";
    text::append_number(out, manifest.facts.players);
    out += ',';
    text::append_member(out, "crc32c", hex(manifest.crc32c, 8));
    out += ",\"took_ms\":";
    text::append_number(out, manifest.took_ms);
    out += ',';
    text::append_member(out, "version", manifest.version);
    return out + '}';
}

Result<BackupManifest> manifest_from_json(std::string_view text) {
    text::JsonDocument document;
    const auto root = document.parse(text);
    const Error unreadable{ErrorCode::kIntegrity, "this is not the manifest of a backup"};
    if (!root || !(*root)->is_object()) return unreadable;
    Members in(document, **root);
    BackupManifest manifest;
    manifest.name = in.text("name");
    manifest.bytes = in.number<std::uint64_t>("bytes");
    const auto created = base::parse_rfc3339(in.text("created_at"));
    manifest.created_at = created.value_or(base::Instant{});
    manifest.facts.epoch = in.text("epoch");
    manifest.facts.seq = {in.number<std::uint64_t>("seq")};
    manifest.facts.chain = in.hex<std::uint64_t>("chain");
    manifest.facts.database_id = in.text("database_id");
    manifest.facts.boards = in.number<std::uint64_t>("boards");
    manifest.facts.players = in.number<std::uint64_t>("players");
    manifest.crc32c = in.hex<std::uint32_t>("crc32c");
    manifest.took_ms = in.number<std::uint64_t>("took_ms");
    manifest.version = in.text("version");
    if (!created || !in.ok()) return unreadable;
    return manifest;
}

std::string manifest_path(const std::string& database) {
    const bool ours = database.ends_with(kDatabaseEnd);
    return database.substr(0, database.size() - (ours ? kDatabaseEnd.size() : 0)) +
           std::string(kManifestEnd);
}

Result<std::optional<BackupManifest>> read_manifest(const std::string& database) {
    const std::string path = manifest_path(database);
    const File file(path, O_RDONLY);
    if (file.descriptor() < 0 && errno == ENOENT) return std::optional<BackupManifest>();
    if (file.descriptor() < 0) return failed("read " + path);
    std::string text(64 * 1024, '\0');
    const ssize_t got = ::read(file.descriptor(), text.data(), text.size());
    if (got < 0) return failed("read " + path);
    text.resize(static_cast<std::size_t>(got));
    auto manifest = manifest_from_json(text);
    if (!manifest) return manifest.error().with_context(path);
    return std::optional(*std::move(manifest));
}

std::string backup_name(base::Instant now, base::Sequence seq) {
    // "2026-11-21T05:15:00.120Z" without what a file name should not hold.
    std::string time = base::rfc3339(now);
    time.resize(time.find('.'));
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    return "standings-" + time + "Z-" + std::to_string(seq.value) + std::string(kDatabaseEnd);
}

Result<FileSum> sum_file(const std::string& path, const GoOn& go_on) {
    const File file(path, O_RDONLY);
    if (file.descriptor() < 0) return failed("read " + path);
    const auto buffer = std::make_unique<std::byte[]>(kReadBytes);
    FileSum sum;
    while (true) {
        const ssize_t got = ::read(file.descriptor(), buffer.get(), kReadBytes);
        if (got < 0) return failed("read " + path);
        if (got == 0) break;
        const auto size = static_cast<std::size_t>(got);
        sum.crc32c = base::crc32c(std::span(buffer.get(), size), sum.crc32c);
        sum.bytes += size;
        ::posix_fadvise(file.descriptor(), 0, static_cast<off_t>(sum.bytes), POSIX_FADV_DONTNEED);
        if (go_on && !go_on(sum.bytes)) {
            return Error{ErrorCode::kCancelled, "It was cancelled."};
        }
    }
    return sum;
}

std::string part_of(const std::string& path) {
    base::SystemRandom random;
    return path + '.' + hex(random.next(), kPartDigits) + std::string(kPartEnd);
}

std::vector<std::string> part_files(const std::string& part) {
    std::vector<std::string> files;
    for (const std::string_view end : kPartEnds) files.push_back(part + std::string(end));
    return files;
}

Result<void> put_in_place(const std::string& part, const std::string& database,
                          const BackupManifest& manifest) {
    const std::string fresh = part + ".json";
    if (auto written = write_durably(fresh, to_json(manifest) + '\n'); !written) return written;
    const std::string path = manifest_path(database);
    if (::access(database.c_str(), F_OK) != 0) {
        // Never without its manifest.
        if (auto done = move_durably(fresh, path); !done) return done;
        return move_durably(part, database);
    }
    // Rather without a manifest for a moment than with that of another copy.
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("replace " + path);
    if (auto done = sync(parent_of(path), O_RDONLY | O_DIRECTORY); !done) return done;
    if (auto done = move_durably(part, database); !done) return done;
    return move_durably(fresh, path);
}

Unfinished::Unfinished(const std::string& folder)
    : lock_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      part_(part_of(folder + '/' + std::string(kOwnPart))) {
    // On a disk without locks nobody sweeps.
    while (lock_ >= 0 && ::flock(lock_, LOCK_SH) != 0 && errno == EINTR) continue;
}

Unfinished::Unfinished(Unfinished&& other) noexcept
    : lock_(std::exchange(other.lock_, -1)), part_(std::move(other.part_)) {}

Unfinished::~Unfinished() {
    if (lock_ >= 0) ::close(lock_);
}

Result<BackupFolder> BackupFolder::open(std::string path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return failed("make the folder " + path);
    }
    BackupFolder folder(std::move(path));
    const File lock(folder.path_, O_RDONLY | O_DIRECTORY);
    if (lock.descriptor() < 0) return failed("read the folder " + folder.path_);
    // What lies there may be under way.
    if (::flock(lock.descriptor(), LOCK_EX | LOCK_NB) != 0) return folder;
    std::error_code failure;
    std::vector<std::filesystem::path> left;
    for (std::filesystem::directory_iterator at(folder.path_, failure), end; at != end && !failure;
         at.increment(failure)) {
        const std::string name = at->path().filename().string();
        // "NAME.json" of a "NAME.db" that is not there.
        const std::string database =
            name.ends_with(kManifestEnd)
                ? name.substr(0, name.size() - kManifestEnd.size()) + std::string(kDatabaseEnd)
                : std::string();
        const bool lonely =
            is_backup_name(database) && !std::filesystem::exists(folder.file(database), failure);
        if (is_own_part(name) || lonely) left.push_back(at->path());
    }
    if (failure) return Error{ErrorCode::kIo, folder.path_ + ": " + failure.message()};
    for (const auto& file : left) {
        if (::unlink(file.c_str()) != 0) return failed("remove " + file.string());
    }
    return folder;
}

std::string BackupFolder::new_name(base::Instant now, base::Sequence seq) const {
    std::string first = backup_name(now, seq);
    const std::string stem = first.substr(0, first.size() - kDatabaseEnd.size());
    // Behind the newest, not into a gap: the name of one that was removed is not given again.
    std::uint64_t newest = 0;
    std::error_code ignored;
    for (std::filesystem::directory_iterator at(path_, ignored), end; at != end && !ignored;
         at.increment(ignored)) {
        const std::string name = at->path().filename().string();
        if (!name.starts_with(stem) || !name.ends_with(kDatabaseEnd)) continue;
        const char* rest = name.data() + stem.size();
        if (*rest != '-' && *rest != '.') continue;  // of a longer seq
        std::uint64_t number = 1;
        if (*rest == '-') std::from_chars(rest + 1, name.data() + name.size(), number);
        newest = std::max(newest, number);
    }
    if (newest == 0) return first;
    return stem + '-' + std::to_string(newest + 1) + std::string(kDatabaseEnd);
}

std::vector<BackupManifest> BackupFolder::list() const {
    std::vector<BackupManifest> all;
    std::error_code failure;
    for (std::filesystem::directory_iterator at(path_, failure), end; at != end && !failure;
         at.increment(failure)) {
        const std::string name = at->path().filename().string();
        if (!is_backup_name(name)) continue;
        auto manifest = read_manifest(file(name));
        // One without is not of our making, or is being removed.
        if (!manifest || !*manifest || (*manifest)->name != name) continue;
        all.push_back(**std::move(manifest));
    }
    std::sort(all.begin(), all.end(), [](const BackupManifest& a, const BackupManifest& b) {
        return std::pair(a.created_at, a.name) > std::pair(b.created_at, b.name);
    });
    return all;
}

std::optional<BackupManifest> BackupFolder::find(std::string_view name) const {
    for (auto& manifest : list()) {
        if (manifest.name == name) return std::move(manifest);
    }
    return std::nullopt;
}

Result<bool> BackupFolder::remove(std::string_view name) const {
    if (!find(name)) return false;
    // The manifest last: what is left of an interrupted removal is swept at the next start.
    const std::string database = file(name);
    if (::unlink(database.c_str()) != 0 && errno != ENOENT) return failed("remove " + database);
    const std::string manifest = manifest_path(database);
    if (::unlink(manifest.c_str()) != 0 && errno != ENOENT) return failed("remove " + manifest);
    return true;
}

Result<void> BackupFolder::keep(std::size_t most, std::string_view database_id) const {
    std::size_t seen = 0;
    for (const auto& manifest : list()) {
        if (manifest.facts.database_id != database_id || ++seen <= most) continue;
        if (auto removed = remove(manifest.name); !removed) return removed.error();
    }
    return {};
}

Result<std::uint64_t> BackupFolder::space() const {
    struct statvfs facts {};
    if (::statvfs(path_.c_str(), &facts) != 0) return failed("look at the disk of " + path_);
    return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

}  // namespace standings::jobs
