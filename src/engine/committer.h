// The one thread that writes: it turns what waits into transactions, applies what became durable,
// and only then lets it be answered.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "engine/backup_operation.h"
#include "engine/batch.h"
#include "engine/details_cache.h"
#include "engine/feed.h"
#include "engine/idempotency_index.h"
#include "engine/operation.h"
#include "engine/reclaimer.h"
#include "engine/registry.h"
#include "engine/settled_clock.h"
#include "engine/statistics.h"
#include "engine/write_queue.h"
#include "ledger/ledger.h"
#include "ledger/write_back.h"

namespace standings::engine {

// A removed entry whose rows and slot are still held.
struct Tombstone {
    ledger::EntryKey key;
    base::Sequence seq;  // of the removal
};

// What the loader found out and the committer goes on with.
struct CommitterStart {
    IdempotencyIndex index;
    ledger::WriteBack write_back;
    std::deque<Tombstone> tombstones;
    std::uint64_t players = 0;
};

// Called on the committer's thread after a batch was applied.
class CommitListener {
  public:
    virtual ~CommitListener() = default;
    virtual void on_applied(base::Sequence seq) = 0;
};

// Promise: an operation is answered after its transaction is durable and applied, in the order of
// the ledger; operations of one transaction are delivered together. Owner: the engine. Between
// start() and stop() its thread is the only one that touches the ledger's writing side, the
// boards' exclusive locks, and the registry's changes.
class Committer {
  public:
    struct Options {
        // For the control of the crash tests alone: acknowledges what is not durable yet.
        bool answer_before_commit = false;
        // Hears when the disk refuses and when it works again, and of a WAL that a reader pins.
        base::Log* log = &base::no_log();
        std::uint64_t wal_warning_bytes = 256'000'000;
    };

    Committer(ledger::Ledger& ledger, Registry& registry, DetailsCache& cache, Feed& feed,
              WriteQueue& queue, const base::Clock& clock, CommitListener& listener,
              Statistics& statistics, CommitterStart start, Options options);
    ~Committer();

    void start();
    // Finishes what waits in the (closed) queue, writes everything back, closes the ledger.
    void stop();

  private:
    using Operations = std::vector<std::unique_ptr<Operation>>;

    void run();
    void process(Operations operations);
    std::optional<base::Monotonic> patience() const;

    // Entries.
    void commit_entries(Operations& run);
    void add_to_feed(const Batch& batch);
    void apply(const Batch& batch);
    std::size_t apply_slice(const std::vector<AppliedChange>& changes, std::size_t from);

    // Boards and streams.
    void commit_board(BoardOperation& operation);
    base::Result<void> plan_board(BoardOperation& operation, ledger::BoardRecord& record,
                                  bool& changed);
    base::Result<bool> replay_board(BoardOperation& operation);
    void apply_board(BoardOperation& operation, const ledger::BoardRecord& record);
    void step_stream(StreamOperation& operation);

    // Transactions.
    base::Result<base::Sequence> begin(std::span<const base::BoardId> boards);
    base::Result<void> finish(const ledger::Batch& rows);
    base::Error refuse(ledger::CommitOutcome outcome, const std::string& detail);
    static void fail(Operations& run, const base::Error& error);
    void deliver(Operations& run);

    // Upkeep.
    void plan_write_back(std::size_t most);
    void write_back_slice();
    void drop_tombstones();
    void upkeep(bool idle);
    void note_sizes();

    // Begins or pins a copy of the database between two batches.
    void attend_backup(BackupOperation& backup);

    ledger::Ledger& ledger_;
    Registry& registry_;
    DetailsCache& cache_;
    Feed& feed_;
    WriteQueue& queue_;
    const base::Clock& clock_;
    CommitListener& listener_;
    Statistics& statistics_;
    const Options options_;
    SettledClock settled_clock_;

    IdempotencyIndex index_;
    ledger::WriteBack write_back_;
    std::deque<Tombstone> tombstones_;
    std::uint64_t players_;
    ActiveStreams active_streams_;
    base::BoardId next_board_;
    base::RankingId next_ranking_;
    base::Sequence applied_seq_;
    bool more_upkeep_ = true;
    base::Monotonic next_sizes_{0};
    bool wal_is_long_ = false;

    // Writing is refused: for ever (an unknown outcome), or until the next try.
    bool unknown_ = false;
    std::optional<base::Monotonic> next_try_;
    std::string refusal_;

    Batch batch_;
    ledger::WriteBackSlice slice_;
    std::vector<ledger::EntryRecord> slice_rows_;
    std::vector<base::BoardId> batch_boards_;
    Reclaimer reclaimer_{cache_};
    std::thread thread_;
};

}  // namespace standings::engine
