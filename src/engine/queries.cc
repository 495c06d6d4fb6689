#include "engine/queries.h"

#include <algorithm>

namespace standings::engine {
namespace {

using base::PlayerSlot;
using base::Sequence;
using ranking::Board;
using ranking::Order;
using ranking::Row;
using ranking::Rules;
using ranking::Scores;
using ranking::Seek;

constexpr std::size_t kMaxPassed = 10;

// Fills in rows [from, to) of the ranking, at most `limit` of them, of what lies in [begin, end).
void take_rows(const Board& board, std::size_t from, std::size_t limit, std::size_t begin,
               std::size_t end, Page& page) {
    from = std::clamp(from, begin, std::max(begin, end));
    const std::size_t count = std::min(limit, end > from ? end - from : 0);
    board.page(from, count, page.rows);
    page.has_before = from > begin && from <= board.size();
    page.has_after = from + count < end;
    page.take_players(board);
}

// The first column holds `units`, the others the best or the worst that there can be.
Scores bound(const Rules& rules, std::int64_t units, bool best) {
    Scores scores;
    for (std::size_t i = 0; i < rules.columns.size(); ++i) {
        const bool high = (rules.columns[i].order == Order::kDescending) == best;
        scores.units[i] = high ? ranking::kMaxUnits : -ranking::kMaxUnits;
    }
    scores.units[0] = units;
    return scores;
}

struct Window {
    std::size_t begin;
    std::size_t end;
};

Window window_of(const Board& board, const ScoreRange& range) {
    const Rules& rules = board.rules();
    const bool descending = rules.columns[0].order == Order::kDescending;
    const auto& best = descending ? range.at_most : range.at_least;
    const auto& worst = descending ? range.at_least : range.at_most;
    Window window{0, board.size()};
    if (best) window.begin = board.count_ahead({bound(rules, *best, true), Sequence{0}});
    if (worst) {
        window.end = board.count_ahead({bound(rules, *worst, false), Sequence{base::kMaxSequence}});
    }
    return window;
}

std::size_t index_of(const ranking::Place& place) {
    return place.position.value - 1;
}

base::Rank previous_rank(const Board& board, const Row& now, const ChangeOutcome& outcome) {
    const Rules& rules = board.rules();
    const bool shared = rules.ties == ranking::Ties::kShared;
    const Seek then{outcome.previous, shared ? Sequence{0} : outcome.previous_reached_seq};
    std::size_t ahead = board.count_ahead(then);
    const int order = ranking::compare(rules, now.scores, then.scores);
    const bool counts_itself = order < 0 || (order == 0 && now.reached_seq < then.reached_seq);
    if (counts_itself) --ahead;
    return {static_cast<std::uint32_t>(ahead + 1)};
}

void note_passed(const Board& board, const Row& now, const ChangeOutcome& outcome,
                 std::vector<std::string>& passed) {
    // A new player was behind all of them.
    std::size_t then = board.size();
    if (outcome.had_entry) {
        if (ranking::compare(board.rules(), now.scores, outcome.previous) >= 0) return;
        then = board.count_ahead({outcome.previous, outcome.previous_reached_seq});
    }
    const std::size_t first = index_of(now.place) + 1;
    std::vector<Row> rows;
    if (then > first) board.page(first, std::min(then - first, kMaxPassed), rows);
    for (const Row& row : rows) passed.emplace_back(board.player_id(row.slot));
}

// The player's row; `guess` is most likely its slot, which saves looking the id up.
std::optional<Row> row_of(const Board& board, std::string_view player, PlayerSlot guess) {
    if (guess.value < board.slot_limit()) {
        auto row = board.row(guess);
        if (row && board.player_id(guess) == player) return row;
    }
    const auto slot = board.find(player);
    return slot ? board.row(*slot) : std::nullopt;
}

std::optional<ReceiptReading::ToNext> to_next(const Board& board, const Row& now) {
    const std::size_t ahead = board.count_ahead({now.scores, Sequence{0}});
    if (ahead == 0) return std::nullopt;
    std::vector<Row> next;
    board.page(ahead - 1, 1, next);
    for (std::size_t i = 0; i < board.rules().columns.size(); ++i) {
        const std::int64_t gap = next[0].scores.units[i] - now.scores.units[i];
        if (gap != 0) return ReceiptReading::ToNext{i, gap < 0 ? -gap : gap};
    }
    return std::nullopt;
}

// How many entries have less than `units` in the first column.
std::size_t count_below(const Board& board, std::int64_t units) {
    if (board.rules().columns[0].order == Order::kAscending) {
        return board.count_ahead({bound(board.rules(), units, true), Sequence{0}});
    }
    const Seek behind_equals{bound(board.rules(), units, false), Sequence{base::kMaxSequence}};
    return board.size() - board.count_ahead(behind_equals);
}

// The first column of the entry that has `smaller` entries below it.
std::int64_t nth_smallest(const Board& board, std::size_t smaller) {
    const bool ascending = board.rules().columns[0].order == Order::kAscending;
    std::vector<Row> row;
    board.page(ascending ? smaller : board.size() - 1 - smaller, 1, row);
    return row[0].scores.units[0];
}

}  // namespace

void Page::start(const HostedBoard::View& view) {
    config = view.config;
    ranking = view.record.ranking;
    seq = view.seq();
    total = view.board.size();
    has_before = false;
    has_after = false;
    rows.clear();
    details.clear();
    ids_.clear();
    id_ends_.clear();
}

void Page::take_players(const ranking::Board& board) {
    for (const Row& row : rows) {
        ids_ += board.player_id(row.slot);
        id_ends_.push_back(ids_.size());
    }
}

void read_offset(const HostedBoard& board, std::size_t offset, std::size_t limit, Page& page) {
    board.read([&](const HostedBoard::View& view) {
        page.start(view);
        take_rows(view.board, offset, limit, 0, view.board.size(), page);
    });
}

void read_range(const HostedBoard& board, const ScoreRange& range,
                const std::optional<Cursor>& cursor, std::size_t limit, Page& page) {
    board.read([&](const HostedBoard::View& view) {
        page.start(view);
        const Window window = window_of(view.board, range);
        std::size_t from = window.begin;
        if (cursor && cursor->direction == Cursor::Direction::kAfter) {
            from = view.board.count_ahead({cursor->scores, {cursor->reached_seq.value + 1}});
        } else if (cursor) {
            const std::size_t end =
                std::min(window.end, view.board.count_ahead({cursor->scores, cursor->reached_seq}));
            from = end - std::min(end, limit);
            // Fewer rows are left ahead of it than a page holds.
            limit = end - std::min(end, std::max(from, window.begin));
        }
        take_rows(view.board, from, limit, window.begin, window.end, page);
    });
}

bool read_around(const HostedBoard& board, std::string_view player, std::size_t limit, Page& page) {
    return board.read([&](const HostedBoard::View& view) {
        page.start(view);
        const auto slot = view.board.find(player);
        const auto place = slot ? view.board.place_of(*slot) : std::nullopt;
        if (!place) return false;
        const std::size_t at = index_of(*place);
        const std::size_t size = view.board.size();
        std::size_t from = at - std::min(at, limit / 2);
        if (from + limit > size) from = size - std::min(size, limit);
        take_rows(view.board, from, limit, 0, size, page);
        return true;
    });
}

void read_players(const HostedBoard& board, std::span<const std::string_view> players, Page& page) {
    board.read([&](const HostedBoard::View& view) {
        page.start(view);
        for (const std::string_view player : players) {
            const auto slot = view.board.find(player);
            const auto row = slot ? view.board.row(*slot) : std::nullopt;
            if (row) page.rows.push_back(*row);
        }
        std::sort(page.rows.begin(), page.rows.end(),
                  [](const Row& a, const Row& b) { return a.place.position < b.place.position; });
        const auto twice = std::unique(page.rows.begin(), page.rows.end(),
                                       [](const Row& a, const Row& b) { return a.slot == b.slot; });
        page.rows.erase(twice, page.rows.end());
        page.take_players(view.board);
    });
}

void warm(const HostedBoard& board, std::string_view player, int step) {
    board.read([&](const HostedBoard::View& view) { view.board.warm(player, step); });
}

std::optional<std::size_t> read_standing(const HostedBoard& board, std::string_view player,
                                         std::size_t neighbours, Page& page) {
    return board.read([&](const HostedBoard::View& view) -> std::optional<std::size_t> {
        page.start(view);
        const auto slot = view.board.find(player);
        const auto own = slot ? view.board.row(*slot) : std::nullopt;
        if (!own) return std::nullopt;
        if (neighbours == 0) {
            page.rows.push_back(*own);
            page.take_players(view.board);
            return 0;
        }
        const std::size_t at = index_of(own->place);
        const std::size_t from = at - std::min(at, neighbours);
        take_rows(view.board, from, at + neighbours + 1 - from, 0, view.board.size(), page);
        return at - from;
    });
}

WouldBe read_rank_of(const HostedBoard& board, const ranking::Scores& scores) {
    return board.read([&](const HostedBoard::View& view) {
        return WouldBe{view.board.rank_of_scores(scores), view.board.size(), view.seq()};
    });
}

Spread read_spread(const HostedBoard& board, std::size_t buckets) {
    return board.read([&](const HostedBoard::View& view) {
        const Board& rows = view.board;
        Spread spread{.config = view.config, .seq = view.seq(), .total = rows.size()};
        if (spread.total == 0) return spread;
        spread.least = nth_smallest(rows, 0);
        spread.most = nth_smallest(rows, spread.total - 1);
        for (std::size_t i = 0; i < Spread::kPercents.size(); ++i) {
            const std::size_t nearest = (Spread::kPercents[i] * spread.total + 99) / 100;
            spread.quantiles[i] = nth_smallest(rows, nearest - 1);
        }
        const std::int64_t span = spread.most - spread.least + 1;
        const auto wanted = static_cast<std::int64_t>(buckets);
        const std::int64_t width = (span + wanted - 1) / wanted;
        std::size_t before = 0;
        for (std::int64_t from = spread.least; from <= spread.most; from += width) {
            const std::size_t up_to =
                from + width > spread.most ? spread.total : count_below(rows, from + width);
            spread.buckets.push_back({from, from + width, up_to - before});
            before = up_to;
        }
        return spread;
    });
}

ReceiptReading read_receipt(const HostedBoard& board, std::string_view player,
                            const ChangeOutcome& outcome) {
    return board.read([&](const HostedBoard::View& view) {
        ReceiptReading reading{.seq = view.seq(),
                               .total = view.board.size(),
                               .config = view.config,
                               .ranking = view.record.ranking};
        reading.row = row_of(view.board, player, outcome.slot);
        if (!reading.row) return reading;
        if (outcome.had_entry) {
            reading.previous_rank = previous_rank(view.board, *reading.row, outcome);
        }
        note_passed(view.board, *reading.row, outcome, reading.passed);
        reading.to_next = to_next(view.board, *reading.row);
        return reading;
    });
}

}  // namespace standings::engine
