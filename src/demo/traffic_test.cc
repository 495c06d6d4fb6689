#include "demo/traffic.h"

#include <gtest/gtest.h>

#include <thread>

#include "demo/hand_clock.h"
#include "demo/news.h"
#include "engine/queries.h"
#include "ledger/memory/memory_ledger.h"

namespace standings::demo {
namespace {

constexpr std::size_t kPlayers = 2000;

// A board's first rows, as text.
std::vector<std::string> top_of(engine::Engine& engine, const std::string& slug) {
    engine::Page page;
    engine::read_offset(*engine.registry().find(slug), 0, 100, page);
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < page.rows.size(); ++i) {
        std::string row(page.player(i));
        for (const std::int64_t units : page.rows[i].scores.units)
            row += ' ' + std::to_string(units);
        rows.push_back(std::move(row));
    }
    return rows;
}

class DemoTraffic : public testing::Test {
  protected:
    DemoTraffic() {
        auto started = engine::Engine::start(ledger::MemoryLedger::open(), clock_, {});
        CHECK(started);
        engine_ = std::move(*started);
    }

    std::size_t total(const std::string& slug) {
        return engine_->registry().find(slug)->read(
            [](const engine::HostedBoard::View& view) { return view.board.size(); });
    }

    base::SystemClock clock_;
    std::unique_ptr<engine::Engine> engine_;
};

TEST_F(DemoTraffic, OpensBoardsThatHoldWhatTheGameSays) {
    Game game({.players = kPlayers, .seed = 3}, clock_);
    ASSERT_TRUE(open_game(*engine_, game));
    EXPECT_EQ(total("season"), kPlayers);
    EXPECT_EQ(total("rating"), kPlayers);
    EXPECT_EQ(total("speedrun"), game.opening(BoardName::kSpeedrun).size());

    engine::Page page;
    engine::read_offset(*engine_->registry().find("season"), 0, 1, page);
    const auto owned = engine_->details().find({page.ranking, page.rows[0].slot}, page.player(0));
    ASSERT_TRUE(owned && owned->details.name);
    bool found = false;
    for (PlayerNumber player = 0; player < kPlayers; ++player) {
        found |= player_id(player) == page.player(0) && game.name(player) == *owned->details.name;
    }
    EXPECT_TRUE(found);
}

TEST_F(DemoTraffic, TheSameSeedOpensWithTheSameStandings) {
    Game game({.players = kPlayers, .seed = 3}, clock_);
    ASSERT_TRUE(open_game(*engine_, game));
    auto other = engine::Engine::start(ledger::MemoryLedger::open(), clock_, {});
    ASSERT_TRUE(other);
    HandClock another_time;
    another_time.move(std::chrono::hours(5));
    Game again({.players = kPlayers, .seed = 3}, another_time);
    ASSERT_TRUE(open_game(**other, again));
    for (const GameBoard& board : game_boards()) {
        EXPECT_EQ(top_of(*engine_, board.slug), top_of(**other, board.slug)) << board.slug;
    }
}

TEST_F(DemoTraffic, RefusesToOpenWhereABoardOfThatNameIs) {
    Game game({.players = 10, .seed = 3}, clock_);
    ASSERT_TRUE(open_game(*engine_, game));
    const auto again = open_game(*engine_, game);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, base::ErrorCode::kBoardExists);
}

TEST_F(DemoTraffic, SubmitsAtTheRateAndEndsAtOnce) {
    Game game({.players = kPlayers, .seed = 3}, clock_);
    ASSERT_TRUE(open_game(*engine_, game));
    const auto before = engine_->applied_seq();
    Traffic traffic(*engine_, game, 2000);
    const auto give_up = clock_.monotonic() + std::chrono::seconds(60);
    while (engine_->applied_seq().value < before.value + 500) {
        ASSERT_LT(clock_.monotonic(), give_up);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    traffic.stop();
    const auto stopped = engine_->applied_seq();
    traffic.stop();
    EXPECT_EQ(engine_->applied_seq(), stopped);
}

TEST_F(DemoTraffic, ARateOfNothingIsQuiet) {
    Game game({.players = 10, .seed = 3}, clock_);
    ASSERT_TRUE(open_game(*engine_, game));
    const auto before = engine_->applied_seq();
    Traffic traffic(*engine_, game, 0);
    traffic.stop();
    EXPECT_EQ(engine_->applied_seq(), before);
}

// --- news ---------------------------------------------------------------------------------------

class SubmitOne final : public engine::EntryOperation {
  public:
    using EntryOperation::EntryOperation;
    void finished() override {}
};

class DemoNews : public DemoTraffic {
  protected:
    DemoNews() {
        Game game({.players = kPlayers, .seed = 3}, clock_);
        CHECK(open_game(*engine_, game));
    }
    void submit(const std::string& slug, const std::string& player, const std::string& name,
                std::int64_t score) {
        const auto board = engine_->registry().find(slug);
        auto operation = std::make_unique<SubmitOne>(desk_, board);
        engine::EntryChange change;
        change.board = board.get();
        change.columns_version = board->columns_version();
        change.player = operation->keep(player);
        change.scores.units[0] = score;
        if (!name.empty()) change.name = operation->keep(name);
        operation->changes.push_back(change);
        ASSERT_TRUE(desk_.hand_over(*engine_, std::move(operation),
                                    engine::EntryOperation::Lane::kSingle, 1, 10));
        desk_.wait_until_done();
        ASSERT_FALSE(desk_.failure());
    }
    // The score of a place on the rating board, from 1 on.
    std::int64_t rating_at(std::size_t position) {
        engine::Page page;
        engine::read_offset(*engine_->registry().find("rating"), position - 1, 1, page);
        return page.rows[0].scores.units[0];
    }
    std::string player_at(std::size_t position) {
        engine::Page page;
        engine::read_offset(*engine_->registry().find("rating"), position - 1, 1, page);
        return std::string(page.player(0));
    }
    std::vector<std::string> lines(NewsRoom& room) {
        std::vector<std::string> all;
        for (const News& news : room.look()) all.push_back(tell(news, 28));
        return all;
    }

    Desk desk_;
};

using Lines = std::vector<std::string>;

TEST_F(DemoNews, TheFirstLookAndAQuietGameTellNothing) {
    NewsRoom room(*engine_, kPlayers);
    EXPECT_EQ(lines(room), Lines{});
    EXPECT_EQ(lines(room), Lines{});
}

TEST_F(DemoNews, FollowsWhoeverJoins) {
    NewsRoom room(*engine_, kPlayers);
    room.look();
    const std::int64_t first = rating_at(1);
    submit("rating", "you", "You", first + 10);
    EXPECT_EQ(lines(room), Lines{"you entered rating at #1 with " + std::to_string(first + 10)});

    // By a player of the game, whose name is told.
    submit("rating", player_at(2), "Ayşe", first + 20);
    EXPECT_EQ(lines(room),
              (Lines{"you were passed by Ayşe on rating, now at #2",
                     "new leader on rating: Ayşe with " + std::to_string(first + 20)}));
    submit("rating", "you", "", first + 30);
    EXPECT_EQ(lines(room), Lines{"you climbed to #1 on rating with " + std::to_string(first + 30)});
}

TEST_F(DemoNews, FollowsYouFarBelowTheTopAndOthersInIt) {
    NewsRoom room(*engine_, kPlayers);
    room.look();
    submit("rating", "you", "", 1);
    submit("rating", "ada", "Ada", rating_at(1) + 1);
    EXPECT_EQ(lines(room), (Lines{"Ada entered rating at #1 with " + std::to_string(rating_at(1)),
                                  "you entered rating at #2002 with 1"}));
}

TEST_F(DemoNews, TellsOfMovesAmongTheFirstTen) {
    NewsRoom room(*engine_, kPlayers);
    room.look();
    const std::string mover = player_at(500);
    submit("rating", mover, "Νίκος", rating_at(1));  // as good, but later
    const auto told = lines(room);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(told[0].starts_with("Νίκος is now #2 on rating with ")) << told[0];
}

TEST_F(DemoNews, ANameCannotSteerTheTerminal) {
    const News news{
        News::Kind::kEntered, "rating", "x", "A\x1b[2J\n" + std::string(500, 'x'), 3, "7", ""};
    const std::string line = tell(news, 20);
    EXPECT_EQ(line, "A?[2J?xxxxxxxxxxxxx… entered rating at #3 with 7");
}

}  // namespace
}  // namespace standings::demo
