// Readings of a ranking, consistent at one seq. Everything that a reader keeps is copied while the
// board's lock is held; names and rendering come after it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "engine/details_cache.h"
#include "engine/hosted_board.h"
#include "engine/operation.h"
#include "ledger/records.h"
#include "ranking/board.h"

namespace standings::engine {

// Rows of one ranking with the ids of their players, as they were at `seq`. Meant to be kept and
// used again: no allocation once it has grown.
class Page {
  public:
    std::shared_ptr<const ledger::BoardConfig> config;
    base::RankingId ranking;
    base::Sequence seq;
    std::size_t total = 0;
    bool has_before = false;  // there are rows ahead of the first one, inside what was asked for
    bool has_after = false;
    std::vector<ranking::Row> rows;
    std::vector<SharedDetails> details;  // one a row once resolved; none: no name, no meta

    std::string_view player(std::size_t row) const {
        const std::size_t from = row == 0 ? 0 : id_ends_[row - 1];
        return std::string_view(ids_).substr(from, id_ends_[row] - from);
    }
    // Once resolved; null: no name, no meta.
    const ledger::Details* details_of(std::size_t row) const {
        return details[row] ? &details[row]->details : nullptr;
    }

    // --- for the queries ----------------------------------------------------------------------
    void start(const HostedBoard::View& view);
    // Copies the ids of all rows.
    void take_players(const ranking::Board& board);

  private:
    std::string ids_;
    std::vector<std::size_t> id_ends_;
};

// Where a page begins: just behind or just ahead of an entry, which may be gone by now.
struct Cursor {
    enum class Direction : std::uint8_t { kAfter = 0, kBefore = 1 };
    Direction direction = Direction::kAfter;
    ranking::Scores scores;
    base::Sequence reached_seq;
};

// Bounds of the first column, both inclusive.
struct ScoreRange {
    std::optional<std::int64_t> at_least;
    std::optional<std::int64_t> at_most;
};

// Each fills `page`. O(log n) and the rows.
void read_offset(const HostedBoard& board, std::size_t offset, std::size_t limit, Page& page);
void read_range(const HostedBoard& board, const ScoreRange& range,
                const std::optional<Cursor>& cursor, std::size_t limit, Page& page);
// The window of `limit` rows with the player in its middle. False: the player has no entry.
bool read_around(const HostedBoard& board, std::string_view player, std::size_t limit, Page& page);
// These players, in order of rank; unknown ones are left out, a double one counts once.
void read_players(const HostedBoard& board, std::span<const std::string_view> players, Page& page);

// Takes one of ranking::Board::kWarmSteps steps for a read of this player that follows.
void warm(const HostedBoard& board, std::string_view player, int step);

// One standing, with up to `neighbours` rows on each side; `page.rows[at]` is the player's.
std::optional<std::size_t> read_standing(const HostedBoard& board, std::string_view player,
                                         std::size_t neighbours, Page& page);

// The rank that `scores` would get as a new entry, and how many entries there are.
struct WouldBe {
    base::Rank rank;
    std::size_t total;
    base::Sequence seq;
};
WouldBe read_rank_of(const HostedBoard& board, const ranking::Scores& scores);

// How the scores of the first column are spread. A quantile p is the score that the nearest rank
// gives: of n scores in rising order the one at ceil(p * n), so it is always a score that is there.
struct Spread {
    static constexpr std::array<unsigned, 9> kPercents = {1, 5, 10, 25, 50, 75, 90, 95, 99};

    struct Bucket {
        std::int64_t from;   // units, inclusive
        std::int64_t below;  // exclusive
        std::size_t count;
    };

    std::shared_ptr<const ledger::BoardConfig> config;
    base::Sequence seq;
    std::size_t total = 0;
    // Without meaning while the board is empty.
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::array<std::int64_t, kPercents.size()> quantiles{};
    // Of equal width, at most as many as were asked for, from the least score up.
    std::vector<Bucket> buckets;
};
// O(buckets log n).
Spread read_spread(const HostedBoard& board, std::size_t buckets);

// What a receipt says beyond the committer's facts, read at once.
struct ReceiptReading {
    base::Sequence seq;
    std::size_t total = 0;
    std::shared_ptr<const ledger::BoardConfig> config;
    base::RankingId ranking;
    std::optional<ranking::Row> row;          // the player's; none: removed meanwhile
    std::optional<base::Rank> previous_rank;  // that the old scores would have now
    std::vector<std::string> passed;  // at most 10: the nearest ones that this change overtook
    // How far the next better scores are, in the first column that differs.
    struct ToNext {
        std::size_t column;
        std::int64_t units;
    };
    std::optional<ToNext> to_next;
};
// `player` is the one that `outcome` speaks of. The slot it names may be another player's by now
// (dropped and used again, or the board has a new life), and of a replay often is.
ReceiptReading read_receipt(const HostedBoard& board, std::string_view player,
                            const ChangeOutcome& outcome);

}  // namespace standings::engine
