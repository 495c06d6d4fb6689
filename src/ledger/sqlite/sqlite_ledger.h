// The ledger in one SQLite file that anybody may open and read: DATA/standings.db.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "ledger/ledger.h"
#include "ledger/sqlite/checkpointer.h"
#include "ledger/sqlite/connection.h"
#include "ledger/sqlite/cursors.h"
#include "ledger/sqlite/file_watcher.h"
#include "ledger/sqlite/files.h"
#include "ledger/sqlite/mark_file.h"
#include "ledger/sqlite/reader.h"
#include "ledger/sqlite/schema.h"
#include "ledger/sqlite/upkeep.h"
#include "ledger/sqlite/writer.h"

namespace standings::ledger {

struct SqliteOptions {
    std::filesystem::path folder;    // must exist; holds standings.db, .mark and .reserve
    base::Random* random = nullptr;  // for a new database's identity; the system's when null
    // Start although acknowledged events are missing: begins a new epoch.
    bool accept_data_loss = false;
    sqlite::Retention retention = {};
    std::int64_t cache_bytes = std::int64_t{16} << 20;
    std::uint64_t reserve_bytes = std::uint64_t{64} << 20;
    std::uint64_t checkpoint_pages = 1000;  // of the WAL, between two checkpoints
    std::string vfs = {};                   // a registered file layer; empty: the system's
    // For tests: hears of what goes past the file layer, of the mark and the folder.
    sqlite::FileWatcher* watcher = nullptr;
};

// Promise: that of Ledger. A COMMIT that fails after it may have reached the disk is kUnknown and
// the last thing that is written until the ledger is opened anew; a full disk rolls back, and
// begin() works again once the reserve can be held again. Exactly one connection writes and
// checkpoints; all others are read-only. The server's lock on the data folder keeps a second
// process out. Cost of a batch: ~2 us an event, ~1 us a written-back entry, one fsync.
class SqliteLedger final : public Ledger {
  public:
    static base::Result<std::unique_ptr<SqliteLedger>> open(const SqliteOptions& options);
    ~SqliteLedger() override = default;
    SqliteLedger(const SqliteLedger&) = delete;
    SqliteLedger& operator=(const SqliteLedger&) = delete;

    // Sentences for the operator about what was met at open; empty when all was as expected.
    const std::vector<std::string>& notes() const { return notes_; }
    const std::string& database_id() const { return row_.database_id; }

    const LedgerState& state() const override { return state_; }

    base::Result<std::vector<BoardRecord>> boards() override;
    base::Result<std::unique_ptr<Cursor<PlayerRecord>>> players() override;
    base::Result<std::unique_ptr<Cursor<EntryRecord>>> entries() override;
    // From the fold mark on, the cursor verifies seq and chain up to the newest event.
    base::Result<std::unique_ptr<Cursor<Event>>> events(base::Sequence after) override;
    base::Result<std::unique_ptr<Cursor<Event>>> keyed_events(std::chrono::milliseconds window,
                                                              std::uint64_t most) override;

    base::Result<void> begin(std::span<const base::BoardId> boards) override;
    base::Result<base::Sequence> catch_up(EventSink& sink) override;
    base::Result<void> append(const Batch& batch) override;
    Committed commit() override;
    void roll_back() override;

    base::Result<std::optional<Event>> event(base::Sequence seq) override;
    base::Result<Details> details(EntryKey key) override;
    base::Result<std::optional<StreamRecord>> stream(base::Hash128 key) override;

    base::Result<bool> maintain(base::Instant now, base::Sequence first_remembered) override;
    LedgerSizes sizes() override;
    base::Result<std::unique_ptr<LedgerCopy>> start_backup(const std::string& path) override;
    base::Result<BackupFacts> seal_backup(const std::string& path,
                                          const std::function<bool()>& cancelled) override;
    base::Result<std::unique_ptr<LedgerReader>> open_reader() override;
    base::Result<void> close() override;

  private:
    SqliteLedger(const SqliteOptions& options, sqlite::Connection connection,
                 sqlite::MarkFile mark);

    base::Result<void> load();
    base::Result<void> compare_with_mark(bool accept_data_loss);
    base::Result<void> begin_new_epoch();
    base::Result<void> prepare();
    base::Result<void> write_mark();
    base::Result<sqlite::Connection> read_connection() const;
    base::Result<sqlite::LiveRankings> live_rankings();

    Committed end_transaction();
    base::Result<sqlite::Checkpointed> checkpoint();
    // Takes note of a failure of the writing connection: after some, nothing is written any more.
    base::Error failed(base::Error error);
    void stop_writing(const std::string& why);

    const std::string path_;
    const std::string vfs_;
    base::Random& random_;
    const std::uint64_t checkpoint_pages_;

    sqlite::Connection connection_;
    std::optional<sqlite::Checkpointer> checkpointer_;
    sqlite::MarkFile mark_;
    sqlite::Reserve reserve_;
    std::optional<sqlite::PointReads> reads_;
    std::optional<sqlite::Writer> writer_;
    std::optional<sqlite::Upkeep> upkeep_;
    sqlite::Statement begin_;
    sqlite::Statement commit_;
    sqlite::Statement first_event_;

    std::vector<std::string> notes_;
    sqlite::Tip tip_;
    sqlite::StateRow row_;
    LedgerState state_;
    sqlite::Staged staged_;  // of the open transaction
    bool in_transaction_ = false;

    bool full_ = false;    // the reserve is gone; begin() tries to hold it again
    std::string stopped_;  // why nothing is written any more; empty while all is well
};

}  // namespace standings::ledger
