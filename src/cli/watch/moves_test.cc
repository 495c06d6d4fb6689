#include "cli/watch/moves.h"

#include <gtest/gtest.h>

#include <string>

namespace standings::cli {
namespace {

using std::chrono::milliseconds;

// Rows of these players, ranked as they come.
LiveRows rows_of(const std::string& players) {
    std::string json = R"({"type":"snapshot","seq":1,"total":9,"rows":[)";
    for (std::size_t i = 0; i < players.size(); ++i) {
        json += (i > 0 ? ",{\"rank\":" : "{\"rank\":") + std::to_string(i + 1) +
                ",\"position\":" + std::to_string(i + 1) + ",\"player\":\"" + players[i] + "\"}";
    }
    text::JsonDocument document;
    json += "]}";
    const auto message = document.parse(json);
    EXPECT_TRUE(message);
    LiveRows rows;
    EXPECT_TRUE(rows.apply(document, **message));
    return rows;
}

// "a+2 b-1 c* d": of each row in order what is shown.
std::string shown(const Moves& moves, const LiveRows& rows, milliseconds now) {
    std::string out;
    for (const LiveRow* row : rows.in_order()) {
        out += (out.empty() ? "" : " ") + row->player;
        const auto move = moves.of(*row, now);
        if (!move) continue;
        if (move->is_new) {
            out += '*';
        } else {
            out += (move->climbed > 0 ? "+" : "") + std::to_string(move->climbed);
        }
    }
    return out;
}

class MovesTest : public testing::Test {
  protected:
    std::string at(int ms, const std::string& players) {
        rows_ = rows_of(players);
        moves_.note(rows_, milliseconds(ms));
        return later(ms);
    }
    std::string later(int ms) { return shown(moves_, rows_, milliseconds(ms)); }

    Moves moves_{true};
    LiveRows rows_;
};

TEST_F(MovesTest, AreRanksGainedAndLostAndWhoIsNew) {
    EXPECT_EQ(at(0, "abcd"), "a b c d") << "the first rows are no news";
    EXPECT_EQ(at(10'000, "cabe"), "c+2 a-1 b-1 e*");
}

TEST_F(MovesTest, StayForATimeAndThenGo) {
    at(0, "abc");
    EXPECT_EQ(at(1000, "bac"), "b+1 a-1 c");
    EXPECT_EQ(later(3999), "b+1 a-1 c");
    EXPECT_EQ(later(4000), "b a c");
    EXPECT_EQ(at(5000, "bca"), "b c+1 a-1") << "from where they were seen last";
}

TEST_F(MovesTest, AddUpWhileTheyAreShown) {
    at(0, "abcd");
    at(1000, "abdc");
    at(2000, "adbc");
    EXPECT_EQ(at(4500, "dabc"), "d+3 a-1 b-1 c") << "each until its own last step is old";
    EXPECT_EQ(at(4600, "abdc"), "a b d+1 c") << "back where they were";
}

TEST_F(MovesTest, OfAWindowThatMovesAreNotNews) {
    Moves around(false);
    LiveRows rows = rows_of("abc");
    around.note(rows, milliseconds(0));
    rows = rows_of("bcd");
    around.note(rows, milliseconds(10));
    EXPECT_EQ(shown(around, rows, milliseconds(10)), "b+1 c+1 d");
}

}  // namespace
}  // namespace standings::cli
