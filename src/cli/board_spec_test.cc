#include "cli/board_spec.h"

#include <gtest/gtest.h>

#include "cli/scores.h"

namespace standings::cli {
namespace {

using base::ErrorCode;
using Words = std::vector<std::string>;

std::string made(const BoardSpec& spec) {
    const auto json = new_board_json("b", spec);
    return json ? *json : "error: " + json.error().detail;
}

TEST(BoardSpec, SaysOnlyWhatWasSaid) {
    EXPECT_EQ(made({}), R"({"id":"b"})");
    EXPECT_EQ(made({.title = "A \"b\"", .rule = "sum", .public_meta = false}),
              R"({"id":"b","title":"A \"b\"","rule":"sum","public_meta":false})");
    EXPECT_TRUE(BoardSpec{}.says_nothing());
    EXPECT_FALSE(BoardSpec{.ties = "shared"}.says_nothing());
}

TEST(BoardSpec, ReadsColumns) {
    EXPECT_EQ(made({.columns = {"points", "time:asc", "x:3", "y:desc:2"}}),
              R"({"id":"b","columns":[{"name":"points"},{"name":"time","order":"asc"},)"
              R"({"name":"x","decimals":3},{"name":"y","order":"desc","decimals":2}]})");
    for (const char* column : {"", ":asc", "a:up", "a:asc:10", "a:2:asc", "a:asc:2:3", "a:"}) {
        const auto json = new_board_json("b", {.columns = {column}});
        ASSERT_FALSE(json) << column;
        EXPECT_EQ(json.error().code, ErrorCode::kSettings);
    }
}

TEST(BoardSpec, ReadsTheShortForm) {
    BoardSpec spec;
    ASSERT_TRUE(read_short_form("sum:points,goal_difference,goals_for:asc:2", spec));
    EXPECT_EQ(spec.rule, "sum");
    EXPECT_EQ(spec.columns, (Words{"points", "goal_difference", "goals_for:asc:2"}));
    BoardSpec rule_only;
    ASSERT_TRUE(read_short_form("last", rule_only));
    EXPECT_TRUE(rule_only.columns.empty());
    for (const char* text : {"", "points", "most:points", ":points"}) {
        BoardSpec wrong;
        EXPECT_FALSE(read_short_form(text, wrong)) << text;
    }
    EXPECT_FALSE(read_short_form("best", spec)) << "another rule than before";
    EXPECT_FALSE(read_short_form("sum:points", spec)) << "columns a second time";
}

TEST(BoardSpec, ReadsLimits) {
    EXPECT_EQ(made({.limits = {"0..100"}}), R"({"id":"b","limits":{"min":0,"max":100}})");
    EXPECT_EQ(made({.limits = {"-1.5.."}}), R"({"id":"b","limits":{"min":-1.5,"max":null}})");
    EXPECT_EQ(made({.limits = {"score=..7"}}), R"({"id":"b","limits":{"min":null,"max":7}})");
    EXPECT_EQ(made({.limits = {"none"}}), R"({"id":"b","limits":null})");
    const auto patch = board_patch_json({.limits = {"y=1..2", "x=..3"}}, {"x", "y"});
    ASSERT_TRUE(patch);
    EXPECT_EQ(*patch, R"({"limits":{"y":{"min":1,"max":2},"x":{"min":null,"max":3}}})");
    const std::vector<Words> wrong = {{"5"}, {"x=1..2"}, {"a..b"}, {"1..2", "3..4"}, {"1.2"}};
    for (const Words& limits : wrong) {
        EXPECT_FALSE(new_board_json("b", {.limits = limits})) << limits[0];
    }
    EXPECT_FALSE(board_patch_json({.limits = {"1..2"}}, {"x", "y"}));
}

std::string scores_of(const Words& arguments, const Words& columns) {
    const auto member = scores_member(arguments, columns);
    return member ? *member : "error";
}

TEST(Scores, KeepTheDigitsThatWereTyped) {
    EXPECT_EQ(scores_of({"12"}, {"score"}), R"("score":12)");
    EXPECT_EQ(scores_of({"score=-1.50"}, {"score"}), R"("score":-1.50)");
    EXPECT_EQ(scores_of({"9007199254740993"}, {"score"}), R"("score":9007199254740993)");
    EXPECT_EQ(scores_of({"3", "-2", "1e2"}, {"a", "b", "c"}), R"("scores":{"a":3,"b":-2,"c":1e2})");
    EXPECT_EQ(scores_of({"b=2", "a=1"}, {"a", "b"}), R"("scores":{"a":1,"b":2})");
}

TEST(Scores, RefuseWhatTheBoardCannotTake) {
    for (const char* score :
         {"", "abc", "+1", "1,000", "0x10", " 1", "1 ", "01", ".5", "NaN", "\"1\"", "[1]"}) {
        EXPECT_EQ(scores_of({score}, {"score"}), "error") << score;
    }
    EXPECT_EQ(scores_of({"1"}, {"a", "b"}), "error");
    EXPECT_EQ(scores_of({"1", "2"}, {"score"}), "error");
    EXPECT_EQ(scores_of({"1", "b=2"}, {"a", "b"}), "error");
    EXPECT_EQ(scores_of({"a=1", "a=2"}, {"a", "b"}), "error");
    EXPECT_EQ(scores_of({"a=1", "c=2"}, {"a", "b"}), "error");
}

}  // namespace
}  // namespace standings::cli
