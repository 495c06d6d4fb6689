// The views that people see in a shell are right at every instant, however late entries are
// written back.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <tuple>
#include <vector>

#include "ledger/sqlite/data_folder.h"
#include "ledger/sqlite/sqlite_ledger.h"
#include "ledger/tiny_engine.h"

namespace standings::ledger {
namespace {

using ranking::kMaxColumns;

struct ShownRow {
    std::string board;
    std::int64_t rank = 0;
    std::int64_t position = 0;
    std::string player;
    std::string name;
    std::array<std::string, kMaxColumns> scores;
    std::string reached_at;
    std::int64_t reached_seq = 0;
    friend bool operator==(const ShownRow&, const ShownRow&) = default;
};

std::ostream& operator<<(std::ostream& out, const ShownRow& row) {
    out << row.board << " #" << row.rank << '/' << row.position << ' ' << row.player << " ("
        << row.name << ")";
    for (const std::string& score : row.scores) out << ' ' << score;
    return out << " at " << row.reached_at << " seq " << row.reached_seq << '\n';
}

// Fixed point, the slow way: all digits, then the zeros off the end.
std::string decimal(std::int64_t units, unsigned decimals) {
    std::string digits = std::to_string(units < 0 ? -units : units);
    while (digits.size() <= decimals) digits.insert(0, "0");
    std::string text = digits.substr(0, digits.size() - decimals);
    std::string fraction = digits.substr(digits.size() - decimals);
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    if (!fraction.empty()) text += '.' + fraction;
    return (units < 0 ? "-" : "") + text;
}

std::vector<ShownRow> expected(const TinyState& state) {
    std::vector<const BoardRecord*> boards;
    for (const auto& [id, board] : state.boards) boards.push_back(&board);
    std::sort(boards.begin(), boards.end(), [](auto* a, auto* b) { return a->slug < b->slug; });
    std::vector<ShownRow> rows;
    for (const BoardRecord* board : boards) {
        const auto& columns = board->config.rules.columns;
        using Keyed =
            std::tuple<std::vector<std::int64_t>, std::uint64_t, const TinyState::Player*>;
        std::vector<Keyed> order;
        for (const auto& [key, player] : state.players) {
            if (key.ranking != board->ranking || !player.entry) continue;
            std::vector<std::int64_t> keys;
            for (std::size_t i = 0; i < columns.size(); ++i) {
                const std::int64_t units = player.entry->scores.units[i];
                keys.push_back(columns[i].order == ranking::Order::kAscending ? units : -units);
            }
            order.emplace_back(keys, player.entry->reached_seq.value, &player);
        }
        std::sort(order.begin(), order.end());
        for (std::size_t i = 0; i < order.size(); ++i) {
            const TinyState::Player& player = *std::get<2>(order[i]);
            ShownRow row;
            row.board = board->slug;
            row.position = static_cast<std::int64_t>(i) + 1;
            row.rank = row.position;
            if (board->config.rules.ties == ranking::Ties::kShared && i > 0 &&
                std::get<0>(order[i]) == std::get<0>(order[i - 1])) {
                row.rank = rows.back().rank;
            }
            row.player = player.id;
            row.name = player.details.name.value_or("");
            for (std::size_t c = 0; c < columns.size(); ++c) {
                row.scores[c] = decimal(player.entry->scores.units[c], columns[c].decimals);
            }
            row.reached_at = base::rfc3339(player.entry->reached_at);
            row.reached_seq = static_cast<std::int64_t>(player.entry->reached_seq.value);
            rows.push_back(row);
        }
    }
    return rows;
}

std::vector<ShownRow> shown(sqlite::Connection& connection, const std::string& rest) {
    auto statement = connection
                         .prepare(
                             "SELECT board, rank, position, player, name, score_1, score_2,"
                             " score_3, score_4, reached_at, reached_seq FROM standings " +
                             rest)
                         .value();
    std::vector<ShownRow> rows;
    while (statement.step().value()) {
        ShownRow& row = rows.emplace_back();
        row.board = statement.text(0);
        row.rank = statement.number(1);
        row.position = statement.number(2);
        row.player = statement.text(3);
        row.name = statement.text(4);
        for (int c = 0; c < static_cast<int>(kMaxColumns); ++c) {
            row.scores[static_cast<std::size_t>(c)] = statement.text(5 + c);
        }
        row.reached_at = statement.text(9);
        row.reached_seq = statement.number(10);
    }
    return rows;
}

TEST(Views, StandingsAreExactAtEveryInstant) {
    const std::uint64_t seed = test_seed();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    const DataFolder folder;
    auto ledger = SqliteLedger::open({.folder = folder.path(), .reserve_bytes = 0}).value();
    auto shell =
        sqlite::Connection::open(folder.database().string(), sqlite::Access::kRead).value();
    TinyEngine engine(seed);
    for (int step = 0; step < 300; ++step) {
        engine.random_batch(1 + engine.pick(10));
        ASSERT_EQ(engine.commit(*ledger), CommitOutcome::kCommitted);
        if (step % 3 != 0) continue;
        const std::vector<ShownRow> rows = expected(engine.state());
        ASSERT_EQ(shown(shell, "ORDER BY board, position"), rows) << "step " << step;
        if (!rows.empty()) {
            const ShownRow& one = rows[engine.pick(rows.size())];
            const auto found =
                shown(shell, "WHERE board = '" + one.board + "' AND player = '" + one.player + "'");
            ASSERT_EQ(found, std::vector{one});
        }
    }
}

TEST(Views, BoardsCountTheirPlayersAndKnowTheirSeq) {
    const std::uint64_t seed = test_seed();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    const DataFolder folder;
    auto ledger = SqliteLedger::open({.folder = folder.path(), .reserve_bytes = 0}).value();
    auto shell =
        sqlite::Connection::open(folder.database().string(), sqlite::Access::kRead).value();
    TinyEngine engine(seed);
    for (int step = 0; step < 100; ++step) {
        engine.random_batch(1 + engine.pick(10));
        ASSERT_EQ(engine.commit(*ledger), CommitOutcome::kCommitted);
        auto statement =
            shell.prepare("SELECT board, players, seq FROM boards ORDER BY board").value();
        std::size_t seen = 0;
        while (statement.step().value()) {
            ++seen;
            for (const auto& [id, board] : engine.state().boards) {
                if (board.slug != statement.text(0)) continue;
                std::int64_t players = 0;
                for (const auto& [key, player] : engine.state().players) {
                    players += key.ranking == board.ranking && player.entry ? 1 : 0;
                }
                ASSERT_EQ(statement.number(1), players) << board.slug;
                ASSERT_EQ(statement.number(2), static_cast<std::int64_t>(board.seq.value));
            }
        }
        ASSERT_EQ(seen, engine.state().boards.size());
    }
}

}  // namespace
}  // namespace standings::ledger
