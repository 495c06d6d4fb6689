#include "ranking/board.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace standings::ranking {
namespace {

Entry entry_of(std::int64_t score, std::uint64_t seq) {
    return {.scores = {{score}},
            .reached_seq = {seq},
            .last_seq = {seq},
            .reached_at = base::Instant{static_cast<std::int64_t>(seq) * 1000},
            .occurred_at = base::kNever,
            .submissions = 1};
}

std::vector<Row> page_of(const Board& board, std::size_t offset, std::size_t limit) {
    std::vector<Row> rows;
    board.page(offset, limit, rows);
    return rows;
}

std::vector<std::uint32_t> ranks_of(const Board& board) {
    std::vector<std::uint32_t> ranks;
    for (const Row& row : page_of(board, 0, board.size())) ranks.push_back(row.place.rank.value);
    return ranks;
}

void add(Board& board, std::string_view player, std::int64_t score, std::uint64_t seq) {
    board.put(board.add_player(player), entry_of(score, seq));
}

TEST(Board, SharesARankBetweenEqualScores) {
    Board board(Rules{.ties = Ties::kShared});
    add(board, "ada", 900, 1);
    add(board, "bob", 700, 2);
    add(board, "cem", 700, 3);
    add(board, "dan", 600, 4);
    EXPECT_EQ(ranks_of(board), (std::vector<std::uint32_t>{1, 2, 2, 4}));
    EXPECT_EQ(board.place_of(*board.find("cem")), (Place{{2}, {3}}));
    EXPECT_EQ(board.rank_of_scores({{700}}).value, 2U);
    EXPECT_EQ(board.rank_of_scores({{650}}).value, 4U);
    EXPECT_EQ(board.rank_of_scores({{1}}).value, 5U);
}

TEST(Board, KeepsTheEarlierOfTwoEqualScoresAhead) {
    Board board(Rules{.ties = Ties::kEarliest});
    add(board, "ada", 700, 2);
    add(board, "bob", 700, 1);
    EXPECT_EQ(board.place_of(*board.find("bob")), (Place{{1}, {1}}));
    EXPECT_EQ(board.place_of(*board.find("ada")), (Place{{2}, {2}}));
    EXPECT_EQ(board.rank_of_scores({{700}}).value, 3U);
}

TEST(Board, GivesBackEntriesAsTheyWerePut) {
    Rules rules{.rule = Rule::kLast, .columns = std::vector<Column>(4)};
    Board board(rules);
    const auto slot = board.add_player("ada");
    const Entry extreme{.scores = {{kMaxUnits, -kMaxUnits, 0, -1}},
                        .reached_seq = {base::kMaxSequence},
                        .last_seq = {base::kMaxSequence},
                        .reached_at = base::Instant{-1},
                        .occurred_at = base::Instant{INT64_MIN + 1},
                        .submissions = UINT32_MAX,
                        .has_details = true};
    board.put(slot, extreme);
    EXPECT_EQ(board.entry(slot), extreme);
    Entry plain = entry_of(3, 70'000);
    plain.submissions = 0x12345678;
    board.put(slot, plain);
    EXPECT_EQ(board.entry(slot), plain);
    board.check();
}

TEST(Board, KeepsOccurredAtOnlyWhereTheRuleAsksForIt) {
    Board board(Rules{.rule = Rule::kBest});
    const auto slot = board.add_player("ada");
    Entry entry = entry_of(1, 1);
    entry.occurred_at = base::Instant{5};
    board.put(slot, entry);
    EXPECT_EQ(board.entry(slot)->occurred_at, base::kNever);
}

TEST(Board, RemembersTheLastEventOfARemovedPlayerUntilItIsDropped) {
    Board board(Rules{});
    add(board, "ada", 5, 1);
    const auto ada = *board.find("ada");
    board.remove(ada, {9});
    EXPECT_FALSE(board.entry(ada));
    EXPECT_FALSE(board.place_of(ada));
    EXPECT_EQ(board.last_seq(ada).value, 9U);
    EXPECT_EQ(board.find("ada"), ada);
    board.drop_player(ada);
    EXPECT_FALSE(board.find("ada"));
    EXPECT_EQ(board.add_player("bob"), ada);
    EXPECT_EQ(board.last_seq(ada).value, 0U);
    board.check();
}

TEST(Board, RanksItsRankingsApart) {
    Board board(Rules{}, 2);
    const auto ada = board.add_player("ada");
    const auto bob = board.add_player("bob");
    board.put(ada, entry_of(1, 1), 0);
    board.put(bob, entry_of(2, 2), 0);
    board.put(ada, entry_of(9, 3), 1);
    EXPECT_EQ(board.place_of(ada, 0)->rank.value, 2U);
    EXPECT_EQ(board.place_of(ada, 1)->rank.value, 1U);
    EXPECT_FALSE(board.place_of(bob, 1));
    EXPECT_EQ(board.size(1), 1U);
    EXPECT_EQ(board.last_seq(bob, 1).value, 0U);
    board.check();
}

TEST(Board, SeeksAlsoWhereNoScoreCanBe) {
    Board board(Rules{});
    add(board, "ada", 5, 1);
    EXPECT_EQ(board.count_ahead({{{INT64_MIN}}, {UINT64_MAX}}), 1U);
    EXPECT_EQ(board.count_ahead({{{INT64_MAX}}, {0}}), 0U);
    EXPECT_EQ(board.count_ahead({{{5}}, {1}}), 0U);
    EXPECT_EQ(board.count_ahead({{{5}}, {2}}), 1U);
}

TEST(Board, IsSmallWhenItHoldsLittle) {
    Board board(Rules{});
    EXPECT_LT(board.memory_bytes(), 2048U);
    for (std::uint32_t i = 0; i < 10; ++i)
        add(board, "player-of-20-chars-" + std::to_string(i), i, 1 + i);
    EXPECT_LT(board.memory_bytes(), 3072U);
}

TEST(Board, LoadsPlayersAndEntriesInTwoThreads) {
    constexpr std::uint32_t kPlayers = 70'000;  // beyond one hash table and one chunk
    Board board(Rules{.rule = Rule::kLast});
    std::thread players([&] {
        std::uint32_t next = 0;
        std::string text;
        const auto twice = board.load_players([&](base::PlayerSlot& slot, std::string_view& id) {
            if (next == kPlayers) return false;
            slot = {next};
            text = "p" + std::to_string(next++);
            id = text;
            return true;
        });
        EXPECT_FALSE(twice);
    });
    std::uint32_t next = 0;
    board.load_entries([&](SlotEntry& item) {
        if (next == kPlayers - 1) return false;
        item = {{next}, entry_of(next % 1000, next + 1)};
        ++next;
        return true;
    });
    board.load_removed({kPlayers - 1}, {123'456});
    players.join();

    board.check();
    EXPECT_EQ(board.size(), kPlayers - 1);
    EXPECT_EQ(board.player_count(), kPlayers);
    EXPECT_EQ(board.find("p69999")->value, 69'999U);
    EXPECT_EQ(board.last_seq({69'999}).value, 123'456U);
    EXPECT_EQ(page_of(board, 0, 1).at(0).slot.value, 999U);
    // Goes on as any board does.
    add(board, "new", 5000, 200'000);
    EXPECT_EQ(board.place_of({kPlayers})->position.value, 1U);
    board.check();
}

// All sizes as they are in use, with more players than one chunk, table and leaf level hold.
TEST(Board, IsRightWithManyPlayers) {
    constexpr std::uint32_t kPlayers = 70'000;
    Board board(Rules{});
    std::mt19937_64 random(17);
    std::vector<Entry> entries;
    for (std::uint32_t i = 0; i < kPlayers; ++i) {
        entries.push_back(entry_of(static_cast<std::int64_t>(random() % 20'000), i + 1));
        board.put(board.add_player("p" + std::to_string(i)), entries.back());
    }
    for (std::uint32_t i = 0; i < kPlayers; ++i) {
        Entry& entry = entries[random() % kPlayers];
        const auto slot = static_cast<std::uint32_t>(&entry - entries.data());
        entry = entry_of(static_cast<std::int64_t>(random() % 20'000), kPlayers + i + 1);
        board.put({slot}, entry);
    }
    board.check();

    std::vector<std::uint32_t> order(kPlayers);
    for (std::uint32_t i = 0; i < kPlayers; ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        const std::int64_t left = entries[a].scores.units[0];
        const std::int64_t right = entries[b].scores.units[0];
        return left != right ? left > right : entries[a].reached_seq < entries[b].reached_seq;
    });
    const std::vector<Row> rows = page_of(board, 0, kPlayers);
    ASSERT_EQ(rows.size(), kPlayers);
    std::uint32_t rank = 1;
    for (std::uint32_t i = 0; i < kPlayers; ++i) {
        if (i > 0 && rows[i].scores != rows[i - 1].scores) rank = i + 1;
        ASSERT_EQ(rows[i].slot.value, order[i]);
        ASSERT_EQ(rows[i].place, (Place{{rank}, {i + 1}}));
        if (i % 7 != 0) continue;
        ASSERT_EQ(board.row({order[i]}), rows[i]);
        ASSERT_EQ(page_of(board, i, 3).at(0), rows[i]);
    }
}

TEST(BoardDeathTest, StopsAtWhatTheEngineMustNotDo) {
    Board board(Rules{});
    add(board, "ada", 1, 1);
    EXPECT_DEATH(board.put({7}, entry_of(1, 2)), "CHECK failed");
    EXPECT_DEATH(board.drop_player({0}), "CHECK failed");
    EXPECT_DEATH(board.put({0}, entry_of(1, 0)), "CHECK failed");
    EXPECT_DEATH(board.put({0}, entry_of(kMaxUnits + 1, 2)), "CHECK failed");
    EXPECT_DEATH(static_cast<void>(board.size(1)), "CHECK failed");
}

}  // namespace
}  // namespace standings::ranking
