// Deletes what is no longer needed, a slice at a time: rows of rankings that boards have left,
// events past their time, finished streams, and the free pages behind them.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <span>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "ledger/sqlite/connection.h"

namespace standings::ledger::sqlite {

inline constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;

// How long events are kept: until they are older than `age_ms`, or the database is larger than
// `bytes`. What shrinks with it: history, explain, taking back, the ledger's listing.
struct Retention {
    std::int64_t age_ms = 30 * kDayMs;
    std::uint64_t bytes = 20'000'000'000;
};

// Events whose idempotency keys still count are kept: of the last `age_ms`, but at most the last
// `keys` of them.
struct IdempotencyWindow {
    std::int64_t age_ms = kDayMs;
    std::uint64_t keys = 1'000'000;
};

// Knows roughly where the last N keyed events begin, from one mark every few thousand of them.
class KeyedFloor {
  public:
    explicit KeyedFloor(std::uint64_t keys) : marks_(keys / kStep + 2) {}

    void note(base::Sequence seq);
    void clear();
    // Events before it lie outside the last N keyed ones for sure. 0: not known.
    base::Sequence value() const;

  private:
    static constexpr std::uint64_t kStep = 1024;

    std::size_t marks_;  // as many steps back
    std::deque<base::Sequence> seen_;
    std::uint64_t count_ = 0;
};

// Owner: the ledger. Thread: the committer's. A slice is a few milliseconds at most.
class Upkeep {
  public:
    static base::Result<Upkeep> prepare(Connection& connection, const Retention& retention,
                                        const IdempotencyWindow& window);

    // A board left this ranking behind; committed.
    void leave(base::RankingId ranking) { old_.insert(ranking); }
    KeyedFloor& keyed_floor() { return keyed_floor_; }
    // Whatever their age or the size of the file.
    void keep_events_from(base::Sequence seq) { keep_from_ = seq; }

    // Whether slice() may have work: known at once for old rankings, looked up about once a second
    // for the rest.
    bool due(base::Instant now) const;
    // One slice within a transaction that the caller commits. True when more is waiting.
    base::Result<bool> slice(base::Instant now, base::Sequence fold_mark);
    // The slice's transaction has committed, or not.
    void ended(bool committed);

  private:
    Upkeep(const Retention& retention, const IdempotencyWindow& window)
        : retention_(retention), window_(window), keyed_floor_(window.keys) {}

    base::Result<void> sweep_ranking(base::RankingId ranking);
    base::Result<bool> sweep_table(Statement& bound, Statement& remove, base::RankingId ranking);
    base::Result<bool> trim_events(base::Instant now, base::Sequence fold_mark);
    base::Result<bool> trim_streams(base::Instant now);
    base::Result<bool> vacuum();
    base::Result<std::int64_t> number_of(Statement& statement);

    Retention retention_;
    IdempotencyWindow window_;
    KeyedFloor keyed_floor_;
    base::Sequence keep_from_{base::kMaxSequence};

    std::set<base::RankingId> old_;
    std::optional<base::RankingId> swept_;  // in the open transaction
    std::optional<base::Instant> looked_;
    bool more_ = false;

    Statement entry_bound_;
    Statement entry_remove_;
    Statement player_bound_;
    Statement player_remove_;
    Statement old_remove_;
    Statement first_event_;
    Statement first_kept_;
    Statement event_remove_;
    Statement stream_remove_;
    Statement page_count_;
    Statement free_pages_;
    Statement vacuum_;
};

}  // namespace standings::ledger::sqlite
