#include "demo/game.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "demo/hand_clock.h"
#include "ranking/rules.h"
#include "text/clean_text.h"

namespace standings::demo {
namespace {

constexpr auto kStep = std::chrono::milliseconds(20);  // 50 a second

using Line = std::tuple<BoardName, PlayerNumber, ranking::Scores, bool>;

Line line_of(const GameSubmission& submission) {
    return {submission.board, submission.player, submission.scores, submission.first};
}

// A board as anybody would keep it: through the rules, in a map.
class Table {
  public:
    explicit Table(BoardName board)
        : rules_(game_boards()[static_cast<std::size_t>(board)].config.rules) {}

    void submit(const GameSubmission& submission) {
        auto& entry = entries_[submission.player];
        const auto decided = ranking::evaluate(rules_, entry, {submission.scores}, {++seq_}, {0});
        ASSERT_TRUE(decided);
        EXPECT_EQ(submission.first, !entry.has_value());
        entry = decided->after;
    }
    std::vector<PlayerNumber> top(std::size_t count) const {
        std::vector<std::pair<PlayerNumber, ranking::Entry>> all;
        for (const auto& [player, entry] : entries_) all.emplace_back(player, *entry);
        const auto ahead = [&](const auto& a, const auto& b) {
            const int order = ranking::compare(rules_, a.second.scores, b.second.scores);
            return order != 0 ? order < 0 : a.second.reached_seq < b.second.reached_seq;
        };
        count = std::min(count, all.size());
        std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                          ahead);
        std::vector<PlayerNumber> players;
        for (std::size_t i = 0; i < count; ++i) players.push_back(all[i].first);
        return players;
    }
    std::size_t size() const { return entries_.size(); }

  private:
    const ranking::Rules rules_;
    std::map<PlayerNumber, std::optional<ranking::Entry>> entries_;
    std::uint64_t seq_ = 0;
};

constexpr BoardName kAllBoards[] = {BoardName::kSpeedrun, BoardName::kSeason, BoardName::kRating};

std::vector<Line> play(const GameOptions& options, int submissions) {
    HandClock clock;
    Game game(options, clock);
    std::vector<Line> lines;
    for (const BoardName board : kAllBoards) {
        for (const auto& submission : game.opening(board)) lines.push_back(line_of(submission));
    }
    for (int i = 0; i < submissions; ++i) {
        clock.move(kStep);
        lines.push_back(line_of(game.next()));
    }
    return lines;
}

TEST(Game, PlaysTheSameForTheSameSeed) {
    const GameOptions options{.players = 2000, .seed = 42};
    const auto once = play(options, 20'000);
    EXPECT_EQ(once, play(options, 20'000));
    EXPECT_NE(once, play({.players = 2000, .seed = 43}, 20'000));
}

TEST(Game, OpensWithEveryPlayerInTheSeasonAndMostOnTheCourse) {
    HandClock clock;
    const Game game({.players = 5000, .seed = 1}, clock);
    EXPECT_EQ(game.opening(BoardName::kSeason).size(), 5000U);
    EXPECT_EQ(game.opening(BoardName::kRating).size(), 5000U);
    const std::size_t runners = game.opening(BoardName::kSpeedrun).size();
    EXPECT_GT(runners, 2700U);
    EXPECT_LT(runners, 3300U);
}

TEST(Game, NamesArePlayersOfAllScriptsAndCleanAsTheyAre) {
    HandClock clock;
    const Game game({.players = 5000, .seed = 3}, clock);
    for (PlayerNumber player = 0; player < game.size(); ++player) {
        const auto cleaned = text::clean_name(game.name(player), 64);
        ASSERT_TRUE(cleaned) << game.name(player);
        ASSERT_EQ(*cleaned, game.name(player));
        ASSERT_TRUE(text::is_player_id(player_id(player)));
        ASSERT_TRUE(is_player_id(player_id(player), game.size()));
    }
    for (const char* guest : {"you", "p_", "p_5000", "p_1", "p_05000", "p_0000x", "p_-0001"}) {
        EXPECT_FALSE(is_player_id(guest, 5000)) << guest;
    }
}

TEST(Game, AFewPlayMuchAndManyPlayLittle) {
    HandClock clock;
    Game game({.players = 5000, .seed = 5}, clock);
    std::map<PlayerNumber, int> counts;
    int rounds = 0;
    for (int i = 0; i < 400'000; ++i) {
        // Fast enough for several days: else only those of one evening come.
        clock.move(std::chrono::milliseconds(10));
        const GameSubmission submission = game.next();
        if (submission.board == BoardName::kSeason) continue;  // a match counts once, as a rating
        ++counts[submission.player];
        ++rounds;
    }
    std::vector<int> sorted;
    for (const auto& [player, count] : counts) sorted.push_back(count);
    std::sort(sorted.rbegin(), sorted.rend());
    ASSERT_GT(sorted.size(), 2000U);
    // On a straight line in logarithms with a slope near -1, as Zipf has it, beyond the flat head.
    const auto expected = [](double k) { return 1 / (k + kHabitOffset); };
    for (const std::size_t k : {200U, 500U, 1000U}) {
        const double measured = static_cast<double>(sorted[k]) / sorted[100];
        EXPECT_NEAR(measured / (expected(static_cast<double>(k)) / expected(100)), 1.0, 0.3) << k;
    }
    // Nobody is everywhere.
    EXPECT_LT(sorted[0], rounds / 50);
}

TEST(Game, TheTopKeepsMovingOnEveryBoard) {
    HandClock clock;
    Game game({.seed = 1}, clock);
    std::vector<Table> tables;
    for (const BoardName board : kAllBoards) {
        tables.emplace_back(board);
        for (const auto& submission : game.opening(board)) tables.back().submit(submission);
    }
    constexpr int kMinutes = 10;
    constexpr int kPerMinute = 3000;
    std::array<int, kBoards> moved{};
    std::array<std::set<PlayerNumber>, kBoards> leaders;
    std::array<std::vector<PlayerNumber>, kBoards> before;
    for (int minute = 0; minute < kMinutes; ++minute) {
        for (int i = 0; i < kPerMinute; ++i) {
            clock.move(kStep);
            const GameSubmission submission = game.next();
            tables[static_cast<std::size_t>(submission.board)].submit(submission);
        }
        for (std::size_t board = 0; board < kBoards; ++board) {
            const auto top = tables[board].top(10);
            if (minute > 0 && top != before[board]) ++moved[board];
            before[board] = top;
            leaders[board].insert(top[0]);
        }
    }
    for (std::size_t board = 0; board < kBoards; ++board) {
        EXPECT_GE(moved[board], 5) << game_boards()[board].slug;
    }
    EXPECT_GE(leaders[0].size() + leaders[1].size() + leaders[2].size(), 5U);
}

TEST(Game, PlayersComeAndGoWithTheHours) {
    HandClock clock;
    Game game({.players = 20'000, .seed = 9}, clock);
    std::set<PlayerNumber> first;
    std::set<PlayerNumber> later;
    for (int i = 0; i < 2000; ++i) first.insert(game.next().player);
    clock.move(Game::kDay / 2);
    for (int i = 0; i < 20'000; ++i) static_cast<void>(game.next());
    for (int i = 0; i < 2000; ++i) later.insert(game.next().player);
    std::vector<PlayerNumber> both;
    std::set_intersection(first.begin(), first.end(), later.begin(), later.end(),
                          std::back_inserter(both));
    EXPECT_LT(both.size(), first.size() / 2);
    EXPECT_GE(game.online(), 50U);
    EXPECT_LT(game.online(), 1000U);
}

TEST(Game, AHandfulOfPlayersIsAGameToo) {
    for (const std::size_t players : {2U, 3U, 10U}) {
        HandClock clock;
        Game game({.players = players, .seed = 1}, clock);
        for (int i = 0; i < 1000; ++i) {
            clock.move(kStep);
            ASSERT_LT(game.next().player, players);
        }
    }
}

}  // namespace
}  // namespace standings::demo
