// A copy of the database while it is being written.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/random.h"
#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/sqlite/connection.h"
#include "ledger/sqlite/mark_file.h"

namespace standings::ledger::sqlite {

// Copies page by page on the connection that writes: SQLite brings what commits meanwhile into the
// copy as well, so it never starts over, and no reader holds the WAL back.
// docs/decisions/0004-backup.md has the measurements. Owner: the ledger. Thread: the committer's,
// between transactions.
class DatabaseCopy {
  public:
    // Makes the file `path` (0600), which must not be there. `source` outlives the copy.
    static base::Result<DatabaseCopy> start(Connection& source, const std::string& path,
                                            const std::string& vfs);
    // Copies up to `pages` more.
    base::Result<BackupProgress> step(int pages);

  private:
    struct Finish {
        void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
    };
    DatabaseCopy(Connection destination, sqlite3_backup* backup)
        : destination_(std::move(destination)), backup_(backup) {}

    Connection destination_;
    std::unique_ptr<sqlite3_backup, Finish> backup_;  // ends before the connection
};

// How to read the database of a folder that no server uses: a WAL that a crash has left is part of
// it, and without one no file needs to appear beside it.
Access read_access(const std::filesystem::path& database);

// Copies the database of a folder that no server uses, unsealed. `progress` false: give up.
base::Result<void> copy_database(const std::filesystem::path& from, const std::string& to,
                                 const std::function<bool(const BackupProgress&)>& progress);

// Begins a new epoch in a sealed copy, durably, and answers the mark that belongs to it.
base::Result<Mark> renew_epoch(const std::string& path, base::Random& random);

// Makes a complete copy a file of its own (no WAL belongs to it), durable, and reads what it holds:
// header, state, boards, and the chain from the fold mark on, as a start would. kIntegrity when it
// is not whole. ~1 us an event past the fold mark. `cancelled` is asked several times a second.
base::Result<BackupFacts> seal_copy(const std::string& path,
                                    const std::function<bool()>& cancelled = {});
// Reads the same from a sealed copy, without writing anything.
base::Result<BackupFacts> read_copy(const std::string& path,
                                    const std::function<bool()>& cancelled = {});

}  // namespace standings::ledger::sqlite
