// The port to what is durable: an ordered ledger of events, and the entries folded out of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "ledger/records.h"

namespace standings::ledger {

// The first event whose idempotency key is remembered, when there is none.
inline constexpr base::Sequence kNoKeys{base::kMaxSequence};

// Rows in order, one at a time.
template <class Row>
class Cursor {
  public:
    virtual ~Cursor() = default;
    // False at the end. The row's strings live until the next call.
    virtual base::Result<bool> next(Row& row) = 0;
};

// What the ledger knows of itself when it is opened.
struct LedgerState {
    std::string epoch;         // changes when a seq can no longer be compared
    base::Sequence last_seq;   // of the newest event
    base::Sequence fold_mark;  // entries hold every event up to it
    base::BoardId next_board;  // never given yet
    base::RankingId next_ranking;
    std::uint64_t hash_seed = 0;  // of this database, for the hashes of idempotency keys
};

// Everything that one transaction writes. The spans live until append() returns. Rows of a ranking
// that the same batch already leaves behind are left out. A board's and a ranking's id count as
// given once an event or a board has named them.
struct Batch {
    // In order, seq contiguous from last_seq + 1 on.
    std::span<const Event> events = {};
    // Players in new slots (or reused ones), with what they brought.
    std::span<const PlayerRecord> new_players = {};
    // New names or meta; a member without a value leaves what is stored. An empty text removes it.
    std::span<const PlayerRecord> details = {};
    // Boards made or changed. A row whose ranking differs from the stored one leaves the old
    // ranking's rows to be deleted in slices.
    std::span<const BoardRecord> boards = {};
    std::span<const base::BoardId> deleted_boards = {};
    std::span<const StreamRecord> streams = {};
    // Entries as they were before this batch, in key order.
    std::span<const EntryRecord> write_back = {};
    // Tombstones that the fold mark has passed: their entry and player rows go. Their last_seq is
    // carried into the board's row, so that the board's seq does not go back over a restart.
    std::span<const EntryKey> dropped = {};
    std::optional<base::Sequence> fold_mark = {};
};

enum class CommitOutcome : std::uint8_t {
    kCommitted,   // durable
    kRolledBack,  // surely not there: the disk was full or busy. The next begin() may work again
    kUnknown,     // may be there: no further write until the ledger is opened anew
};

struct Committed {
    CommitOutcome outcome = CommitOutcome::kCommitted;
    std::string detail;  // why, when it is not kCommitted
};

// Events of other writers that this one has not seen.
class EventSink {
  public:
    virtual ~EventSink() = default;
    virtual base::Result<void> on_event(const Event& event) = 0;
};

// Where a snapshot stands.
struct SnapshotState {
    base::Sequence last_seq;   // of the newest event
    base::Sequence fold_mark;  // entries hold every event up to it
};

// When a long read gives up; never by default.
struct Deadline {
    const base::Clock* clock = nullptr;
    base::Monotonic at{};
    bool passed() const { return clock != nullptr && clock->monotonic() >= at; }
};

// "... took too long".
base::Error too_late();

// A stretch of the ledger, as far as one ranking is concerned.
struct RankingEvents {
    std::vector<Event> events;  // of entries, in order
    base::Sequence looked_to;   // no further one has a seq up to here
    bool at_end = false;        // nor beyond it, when this was read
};

// Reads beside the writer; for one worker thread, never an event loop. Sees committed rows only.
class LedgerReader {
  public:
    virtual ~LedgerReader() = default;
    // Ids, names and meta in the order of `keys`; an unknown key gives empty ones.
    virtual base::Result<std::vector<PlayerRecord>> details(std::span<const EntryKey> keys) = 0;
    virtual base::Result<std::optional<Event>> event(base::Sequence seq) = 0;

    // Calls that come after it fail with kReadTimeout; ranking_events gives what it has found.
    virtual void set_deadline(Deadline deadline) = 0;
    // The ranking's next entry events beyond `after`, at most `most`. Looks through the events of
    // all boards, ~0.1 us each, and at a few thousand of them whatever the deadline says.
    virtual base::Result<RankingEvents> ranking_events(base::RankingId ranking,
                                                       base::Sequence after, std::size_t most) = 0;
    // Removals and take-backs beyond `after` at any of `keys`, in no order. O(log n) and the rows.
    virtual base::Result<std::vector<Event>> undoings(std::span<const EntryKey> keys,
                                                      base::Sequence after) = 0;

    // --- many rows as they were at one moment ---------------------------------------------------
    // From here on all reads of this reader show what was committed now. The writer goes on, but
    // its journal cannot be cut while a snapshot lasts: keep it to seconds, and end it always.
    virtual base::Result<SnapshotState> begin_snapshot() = 0;
    virtual void end_snapshot() = 0;
    // Inside a snapshot. The cursors live no longer than it.
    virtual base::Result<std::optional<BoardRecord>> board(base::BoardId id) = 0;
    // Of one ranking, in order of slot.
    virtual base::Result<std::unique_ptr<Cursor<PlayerRecord>>> players(
        base::RankingId ranking) = 0;
    virtual base::Result<std::unique_ptr<Cursor<EntryRecord>>> entries(base::RankingId ranking) = 0;
    // Of one ranking, beyond `after`, in order.
    virtual base::Result<std::unique_ptr<Cursor<Event>>> events(base::RankingId ranking,
                                                                base::Sequence after) = 0;
};

// Ends a reader's snapshot with the scope.
class SnapshotScope {
  public:
    explicit SnapshotScope(LedgerReader& reader) : reader_(reader) {}
    ~SnapshotScope() { reader_.end_snapshot(); }
    SnapshotScope(const SnapshotScope&) = delete;
    SnapshotScope& operator=(const SnapshotScope&) = delete;

  private:
    LedgerReader& reader_;
};

// Sizes for metrics, read on the committer's thread.
struct LedgerSizes {
    std::uint64_t database_bytes = 0;
    std::uint64_t wal_bytes = 0;
    std::uint64_t events = 0;  // kept, approximately
};

// How far a copy of the database has come.
struct BackupProgress {
    std::uint64_t done_bytes = 0;
    std::uint64_t total_bytes = 0;  // grows while the writer goes on
    bool wants_pin = false;
    bool complete = false;
};

// A copy of the database on its way into a file, as it is at the moment of pin(). What commits
// meanwhile is not held up by it. Owner: whoever started it; it ends before the ledger.
class LedgerCopy {
  public:
    virtual ~LedgerCopy() = default;
    // Copies some hundred kilobytes more. Not called again after a failure or completion. Any
    // thread, one at a time.
    virtual base::Result<BackupProgress> step() = 0;
    // Called once, when step() wants it, on the committer's thread between two transactions: the
    // copy will hold what is committed by now, and nothing younger.
    virtual base::Result<void> pin() = 0;
};

// What a whole copy holds, as read from the copy itself.
struct BackupFacts {
    std::string database_id;
    std::string epoch;
    base::Sequence seq;       // of its newest event
    std::uint64_t chain = 0;  // after that event
    std::uint64_t boards = 0;
    std::uint64_t players = 0;  // over all boards, the removed ones whose rows are left included
    friend bool operator==(const BackupFacts&, const BackupFacts&) = default;
};

// Promise: what commit() answered with kCommitted is there after any crash, in order; a batch is
// wholly there or wholly not. Owner: the engine. Thread: the committer's, except open_reader(). The
// load cursors are opened on that thread too, before the first begin(), and then each may be read
// by a thread of its own; keyed_events() may be opened by its own thread as well.
class Ledger {
  public:
    virtual ~Ledger() = default;

    virtual const LedgerState& state() const = 0;

    // --- start ------------------------------------------------------------------------------
    virtual base::Result<std::vector<BoardRecord>> boards() = 0;
    // In key order, of the rankings that boards have now. Every entry has a player, and every
    // player an entry (or tombstone) or an event past the fold mark: anything else is damage.
    virtual base::Result<std::unique_ptr<Cursor<PlayerRecord>>> players() = 0;
    virtual base::Result<std::unique_ptr<Cursor<EntryRecord>>> entries() = 0;
    // Events with a seq beyond `after`, in order. A start takes them from the fold mark on: then
    // none may be missing, and their chain is verified.
    virtual base::Result<std::unique_ptr<Cursor<Event>>> events(base::Sequence after) = 0;
    // Keyed events inside the idempotency window: the last `most` ones whose EventAge is at most
    // `window`; only seq, key and at are filled in. In order. The newest event and some of the
    // unkeyed ones in a long gap count as steps of that age, too: they say that time passed.
    virtual base::Result<std::unique_ptr<Cursor<Event>>> keyed_events(
        std::chrono::milliseconds window, std::uint64_t most) = 0;

    // --- one transaction ----------------------------------------------------------------------
    // Takes what the boards' order needs. Fails with kNoSpace or kIo when writing is not possible
    // now.
    virtual base::Result<void> begin(std::span<const base::BoardId> boards) = 0;
    // Hands over what others have committed meanwhile; answers the newest seq.
    virtual base::Result<base::Sequence> catch_up(EventSink& sink) = 0;
    // A failure leaves the transaction to be ended by roll_back().
    virtual base::Result<void> append(const Batch& batch) = 0;
    virtual Committed commit() = 0;
    virtual void roll_back() = 0;

    // --- between transactions -----------------------------------------------------------------
    // Point reads on the writing connection, for the committer. Inside a transaction too.
    virtual base::Result<std::optional<Event>> event(base::Sequence seq) = 0;
    virtual base::Result<Details> details(EntryKey key) = 0;
    virtual base::Result<std::optional<StreamRecord>> stream(base::Hash128 key) = 0;

    // One slice of upkeep after a batch's answers: checkpoint, rows of old rankings, retention.
    // Bounded to a few milliseconds. True when more is waiting. Events from `first_remembered` on
    // stay, whatever their age: their idempotency keys are remembered.
    virtual base::Result<bool> maintain(base::Instant now, base::Sequence first_remembered) = 0;
    virtual LedgerSizes sizes() = 0;

    // --- a copy, while the ledger goes on -------------------------------------------------------
    // Between transactions. Begins to copy the database into the new file `path`; one at a time
    // (kBusy). The file, and `path` + "-wal" beside it, are the caller's to remove. kNotImplemented
    // where there is no file to copy.
    virtual base::Result<std::unique_ptr<LedgerCopy>> start_backup(const std::string& path) = 0;
    // Any thread. Makes a complete copy durable, and reads it: header, state, boards, and the chain
    // from the fold mark to the newest event. kIntegrity when it is not whole. `cancelled` is asked
    // several times a second: true ends it with kCancelled.
    virtual base::Result<BackupFacts> seal_backup(const std::string& path,
                                                  const std::function<bool()>& cancelled) = 0;

    // Any thread.
    virtual base::Result<std::unique_ptr<LedgerReader>> open_reader() = 0;
    // Folds the journal into the database file at a clean end.
    virtual base::Result<void> close() = 0;
};

}  // namespace standings::ledger
