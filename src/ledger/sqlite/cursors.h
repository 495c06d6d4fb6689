// The load cursors: each reads on a connection of its own, so that threads can share the work.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/sqlite/connection.h"

namespace standings::ledger::sqlite {

// Rankings that a board has now. Rows of others are left over and not shown.
using LiveRankings = std::shared_ptr<const std::unordered_set<std::uint32_t>>;

base::Result<std::unique_ptr<Cursor<PlayerRecord>>> player_cursor(Connection connection,
                                                                  LiveRankings live);
base::Result<std::unique_ptr<Cursor<EntryRecord>>> entry_cursor(Connection connection,
                                                                LiveRankings live);
// Also verifies that the events follow one another in seq and chain, up to `last`. Before
// `fold_mark` retention may have taken the oldest.
base::Result<std::unique_ptr<Cursor<Event>>> event_cursor(Connection connection,
                                                          base::Sequence after,
                                                          base::Sequence fold_mark,
                                                          base::Sequence last);

// One event with an idempotency key, as short as it gets.
struct KeyedEvent {
    base::Sequence seq;
    base::Hash128 key;
    base::Instant at;
};

// What a row's column `keyed_before` says; none: not known.
std::optional<base::Sequence> keyed_before(const Statement& row, int column);
// The last `most` keyed events whose EventAge is at most `window`, in order. Reads backwards, and
// nothing that is older.
base::Result<std::vector<KeyedEvent>> read_keyed_events(Connection& connection,
                                                        std::chrono::milliseconds window,
                                                        std::uint64_t most);
std::unique_ptr<Cursor<Event>> keyed_cursor(std::vector<KeyedEvent> events);

}  // namespace standings::ledger::sqlite
