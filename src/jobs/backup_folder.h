// Backups as files: NAME.db, whole and durable, and NAME.json, which says what it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

// "PATH.3f09c2d41a77be80.part": a name for a copy under way that nothing else has.
std::string part_of(const std::string& path);
// All that lies there while a copy of that name is under way.
std::vector<std::string> part_files(const std::string& part);

// Puts a sealed copy in place: writes the manifest durably, then renames `part` to `database`, so
// that whatever is called .db is whole at any moment. One that is replaced loses its manifest
// first, and the new one gets its own last: neither ever lies beside the other's.
base::Result<void> put_in_place(const std::string& part, const std::string& database,
                                const BackupManifest& manifest);

// A copy under way in a folder of backups: while one lives, in any process, no opening of the
// folder sweeps. Ends with the process. Owner: who copies.
class Unfinished {
  public:
    Unfinished(Unfinished&& other) noexcept;
    Unfinished& operator=(Unfinished&&) = delete;
    ~Unfinished();

    // A new name for it.
    const std::string& part() const { return part_; }

  private:
    friend class BackupFolder;
    explicit Unfinished(const std::string& folder);

    int lock_;
    std::string part_;
};

// A folder of backups, of which those count that have a name by new_name(); all others are an
// operator's own. Threads: any; a file that goes meanwhile is not there.
class BackupFolder {
  public:
    // Makes the folder (0700) and removes what an interrupted backup has left, unless a copy is
    // under way in it.
    static base::Result<BackupFolder> open(std::string path);

    const std::string& path() const { return path_; }
    std::string file(std::string_view name) const { return path_ + '/' + std::string(name); }

    // Waits while another process sweeps.
    Unfinished begin() const { return Unfinished(path_); }
    // The name of a backup that is made now: that of no other one, also of the same second and seq.
    std::string new_name(base::Instant now, base::Sequence seq) const;

    // Whole ones, the newest first.
    std::vector<BackupManifest> list() const;
    std::optional<BackupManifest> find(std::string_view name) const;
    // False: there is none of this name.
    base::Result<bool> remove(std::string_view name) const;
    // Removes all of this database but the newest `most`.
    base::Result<void> keep(std::size_t most, std::string_view database_id) const;
    // Free bytes on its disk.
    base::Result<std::uint64_t> space() const;

  private:
    explicit BackupFolder(std::string path) : path_(std::move(path)) {}

    std::string path_;
};

}  // namespace standings::jobs
