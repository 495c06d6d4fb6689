// A copy of the database, made while the writer goes on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/sqlite/checkpointer.h"
#include "ledger/sqlite/connection.h"
#include "ledger/sqlite/steady_file.h"

namespace standings::ledger::sqlite {

// Copies the database file as it comes, while checkpoints change pages behind its place; then the
// pages that they have changed meanwhile, and so on, until only few are left. For those it pins the
// moment with a read transaction. As long as that lives, SQLite moves no younger page into the
// file, and keeps the WAL as it is unless all of it was moved before. So the pages that were
// changed last, and the WAL up to the pin where it is not wholly moved, make the copy the database
// of that moment. The WAL grows for these last seconds only. (Virtual machines move to another host
// like this: "pre-copy", Clark et al., NSDI 2005.) docs/decisions/0004-backup.md has the
// measurements. Owner: whoever asked for the copy; ends before the ledger.
class OnlineCopy final : public LedgerCopy {
  public:
    using Checkpoint = std::function<base::Result<Checkpointed>()>;

    // Into the file `to` (0600), which must not be there. `reader` is a connection for this alone,
    // `moved` is told what `checkpoint` moves, from a moment before this call.
    static base::Result<std::unique_ptr<LedgerCopy>> start(Connection reader,
                                                           std::shared_ptr<MovedPages> moved,
                                                           Checkpoint checkpoint, std::string to);
    base::Result<BackupProgress> step() override;
    base::Result<void> pin() override;

  private:
    // The part of the WAL that belongs to the copy.
    struct WalPart {
        SteadyFile to;
        std::uint64_t done = 0;
        std::uint64_t size = 0;
    };

    OnlineCopy(Connection reader, std::shared_ptr<MovedPages> moved, Checkpoint checkpoint,
               std::string path, SteadyFile to)
        : reader_(std::move(reader)),
          moved_(std::move(moved)),
          checkpoint_(std::move(checkpoint)),
          path_(std::move(path)),
          to_(std::move(to)) {}
    base::Result<std::uint64_t> file_bytes() const;
    base::Result<void> copy_pages();
    base::Result<void> copy_wal();
    base::Result<void> complete();
    void begin_round(std::vector<PageRun> pages);
    bool pages_left() const { return next_ < pages_.size(); }

    Connection reader_;
    std::shared_ptr<MovedPages> moved_;
    Checkpoint checkpoint_;
    std::string path_;
    SteadyFile to_;
    std::vector<PageRun> pages_;  // of this round
    std::size_t next_ = 0;        // of them
    std::uint64_t round_bytes_ = 0;
    std::uint64_t done_bytes_ = 0;
    std::uint64_t total_bytes_ = 0;
    bool pinned_ = false;
    std::uint64_t pinned_bytes_ = 0;  // of the database file
    std::optional<WalPart> wal_;
    std::vector<char> buffer_;
};

}  // namespace standings::ledger::sqlite
