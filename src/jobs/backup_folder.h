// Backups as files: NAME.db, whole and durable, and NAME.json, which says what it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ledger/ledger.h"

namespace standings::jobs {

// What NAME.json holds; docs/formats/backup.md.
struct BackupManifest {
    std::string name;     // of the file: "standings-20261121T051500Z-90412.db"
    std::string version;  // of the program
    base::Instant created_at;
    std::uint64_t bytes = 0;
    std::uint32_t crc32c = 0;  // of the file
    std::uint64_t took_ms = 0;
    ledger::BackupFacts facts;
};

std::string to_json(const BackupManifest& manifest);
base::Result<BackupManifest> manifest_from_json(std::string_view text);
// "backup.db" -> "backup.json", beside it.
std::string manifest_path(const std::string& database);
// None when the backup has no manifest: then only the database itself can be asked.
base::Result<std::optional<BackupManifest>> read_manifest(const std::string& database);

// The name of a backup that is made now, without more in its folder.
std::string backup_name(base::Instant now, base::Sequence seq);

struct FileSum {
    std::uint64_t bytes = 0;
    std::uint32_t crc32c = 0;
};
// Asked after each megabyte or less, with the bytes so far; false ends the reading.
using GoOn = std::function<bool(std::uint64_t bytes)>;
// Reads the whole file, at most ~1 GB/s, and leaves nothing of it in the page cache.
base::Result<FileSum> sum_file(const std::string& path, const GoOn& go_on = {});

// Puts a sealed copy in place: writes the manifest durably, then renames `part` to `database`, so
// that whatever is called .db is whole at any moment.
base::Result<void> put_in_place(const std::string& part, const std::string& database,
                                const BackupManifest& manifest);

// A folder of backups. Threads: any; a file that goes meanwhile is not there.
class BackupFolder {
  public:
    // Makes the folder (0700) and removes what an interrupted backup has left.
    static base::Result<BackupFolder> open(std::string path);

    const std::string& path() const { return path_; }
    std::string file(std::string_view name) const { return path_ + '/' + std::string(name); }

    // The name of a backup that is made now: that of no other one, also of the same second and seq.
    std::string new_name(base::Instant now, base::Sequence seq) const;

    // Whole ones, the newest first.
    std::vector<BackupManifest> list() const;
    std::optional<BackupManifest> find(std::string_view name) const;
    // False: there is none of this name.
    base::Result<bool> remove(std::string_view name) const;
    // All but the newest `most`.
    base::Result<void> keep(std::size_t most) const;
    // Free bytes on its disk.
    base::Result<std::uint64_t> space() const;

  private:
    explicit BackupFolder(std::string path) : path_(std::move(path)) {}

    std::string path_;
};

}  // namespace standings::jobs
