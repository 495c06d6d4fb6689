// Readings of the ledger for people: a board's submissions, and how a player's score came to be.
// On a worker's thread, with deadlines of their own.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "engine/hosted_board.h"
#include "ledger/ledger.h"

namespace standings::engine {

struct LedgerItem {
    ledger::Event event;
    std::string player;  // empty: forgotten by now
    std::optional<std::string> name;
    bool taken_back = false;
};

struct LedgerPage {
    std::shared_ptr<const ledger::BoardConfig> config;
    base::Sequence board_seq;
    std::vector<LedgerItem> items;
    // Where the next page begins; none: there is no more just now.
    std::optional<base::Sequence> next;
};

// The entry events of the board's present life beyond `after`, oldest first. They lie among those
// of all boards: a page ends early, even empty, where a second was not enough.
base::Result<LedgerPage> list_ledger(ledger::LedgerReader& reader, const HostedBoard& board,
                                     const base::Clock& clock, base::Sequence after,
                                     std::size_t limit);
// One player's beyond `after`, newest first; from the newest one older than `before` on, unless it
// is 0. A player who is not known has none. Costs the items alone when `before` is of the last
// page.
base::Result<LedgerPage> list_player_ledger(ledger::LedgerReader& reader, const HostedBoard& board,
                                            const base::Clock& clock, std::string_view player,
                                            base::Sequence after, base::Sequence before,
                                            std::size_t limit);

struct HistoryPoint {
    base::Sequence seq;
    base::Instant at;
    ranking::Outcome outcome = ranking::Outcome::kCreated;
    ranking::Scores scores;
    base::Rank rank_now;  // that these scores would have today
};

struct History {
    std::shared_ptr<const ledger::BoardConfig> config;
    std::string player;
    base::Sequence board_seq;
    std::vector<HistoryPoint> points;  // oldest first
    bool complete = true;              // false: there was an older part, and it is not shown
};

// The scores that the player's entry has had, without what was taken back, thinned to `points`.
// None: the player has no entry. Reads at most 100,000 events.
base::Result<std::optional<History>> read_history(ledger::LedgerReader& reader,
                                                  const HostedBoard& board,
                                                  const base::Clock& clock, std::string_view player,
                                                  std::size_t points);

// At most `most` (2 or more) of `points`, the first and the last among them. Largest triangle three
// buckets: the rest is cut into equal parts, and of each that point stays which makes the largest
// triangle with the one kept before it and the middle of the next part. Pure.
std::vector<HistoryPoint> thin_out(const std::vector<HistoryPoint>& points, std::size_t most);

}  // namespace standings::engine
