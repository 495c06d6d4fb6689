// Deletes what is no longer needed, a slice at a time: rows of rankings that boards have left,
// events past their time, finished streams, and the free pages behind them.
#pragma once

#include <cstdint>
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
    // And how long it is known how far a keyed stream came.
    std::int64_t stream_age_ms = kDayMs;
};

// Owner: the ledger. Thread: the committer's. A slice is a few milliseconds at most.
class Upkeep {
  public:
    static base::Result<Upkeep> prepare(Connection& connection, const Retention& retention);

    // A board left this ranking behind; committed.
    void leave(base::RankingId ranking) { old_.insert(ranking); }

    // Whether slice() may have work: known at once for old rankings, looked up about once a second
    // for the rest.
    bool due(base::Instant now) const;
    // One slice within a transaction that the caller commits. True when more is waiting. Events
    // from `keep_from` on stay.
    base::Result<bool> slice(base::Instant now, base::Sequence keep_from);
    // The slice's transaction has committed, or not.
    void ended(bool committed);

  private:
    explicit Upkeep(const Retention& retention) : retention_(retention) {}

    base::Result<void> sweep_ranking(base::RankingId ranking);
    base::Result<bool> sweep_table(Statement& bound, Statement& remove, base::RankingId ranking);
    base::Result<bool> trim_events(base::Instant now, base::Sequence keep_from);
    base::Result<bool> trim_streams(base::Instant now);
    base::Result<bool> vacuum();
    base::Result<std::int64_t> number_of(Statement& statement);

    Retention retention_;

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
