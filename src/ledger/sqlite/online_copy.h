// A copy of the database as it is at one commit, made while the writer goes on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/sqlite/connection.h"
#include "ledger/sqlite/files.h"

namespace standings::ledger::sqlite {

// A read transaction pins a moment: until it ends, SQLite moves no younger page of the WAL into the
// database file, and does not begin the WAL anew. So the file's bytes, and those of the WAL up to
// that moment, are the database at that moment, in whatever order and however slowly they are read;
// a page that is being moved while it is read is in the WAL too, which counts. They are read
// through SQLite's own file handles: a second descriptor of ours, closed, would drop SQLite's locks
// (https://www.sqlite.org/howtocorrupt.html, 2.2).
// The price is a WAL that grows while the copy runs. docs/decisions/0004-backup.md has the
// measurements. Owner: whoever asked for the copy; ends before the ledger. Thread: any one.
class SnapshotCopy final : public LedgerCopy {
  public:
    // Pins the present moment on `reader`, a connection for this alone. On the committer's thread
    // between transactions: none commits from here to the end of start().
    static base::Result<void> pin(Connection& reader);
    // Begins to copy the pinned moment into the file `to` (0600), which must not be there.
    // `wal_frames` were in the WAL, and not all of them in the database file, at a checkpoint
    // behind the pin: one before it could be overtaken by another program's.
    static base::Result<std::unique_ptr<LedgerCopy>> start(Connection reader,
                                                           std::uint64_t wal_frames,
                                                           const std::string& to);
    base::Result<BackupProgress> step() override;

  private:
    // One of the two files on its way.
    struct Part {
        sqlite3_file* from;
        File to;
        std::uint64_t done = 0;
        std::uint64_t size = 0;
    };

    explicit SnapshotCopy(Connection reader) : reader_(std::move(reader)) {}
    base::Result<void> copy_piece(Part& part);

    Connection reader_;
    std::vector<Part> parts_;  // what is copied next stands last
    std::uint64_t done_bytes_ = 0;
    std::vector<char> buffer_;
};

}  // namespace standings::ledger::sqlite
