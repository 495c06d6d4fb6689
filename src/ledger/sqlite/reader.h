// Reads of committed rows on a read-only connection.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/sqlite/connection.h"

namespace standings::ledger::sqlite {

// The statements of point reads, for any connection. Thread: the connection's. ~2 us a row.
class PointReads {
  public:
    static base::Result<PointReads> prepare(Connection& connection);

    base::Result<std::optional<Event>> event(base::Sequence seq);
    // None when there is no such player.
    base::Result<std::optional<PlayerRecord>> player(EntryKey key);
    base::Result<std::optional<StreamRecord>> stream(base::Hash128 key);

  private:
    Statement event_;
    Statement player_;
    Statement stream_;
};

// The statements that look through many rows. Thread: the connection's.
class RangeReads {
  public:
    static base::Result<RangeReads> prepare(Connection& connection);

    // The seqs of the oldest and of the newest event; 0 without any.
    base::Result<std::pair<base::Sequence, base::Sequence>> ends();
    // Goes on in `found` from where it has looked to, up to `to`.
    base::Result<void> ranking_events(base::RankingId ranking, base::Sequence to, std::size_t most,
                                      RankingEvents& found);
    base::Result<void> undoings(EntryKey key, base::Sequence after, std::vector<Event>& out);

  private:
    static base::Result<void> take(Statement& statement, std::vector<Event>& out);

    Statement ends_;
    Statement ranking_events_;
    Statement undoings_;
};

base::Result<std::unique_ptr<LedgerReader>> make_reader(Connection connection);

}  // namespace standings::ledger::sqlite
