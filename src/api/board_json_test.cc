#include "api/board_json.h"

#include <gtest/gtest.h>

#include "api/request_harness.h"

namespace standings::api {
namespace {

using base::ErrorCode;
using ledger::BoardConfig;
using ranking::Order;

base::Result<NewBoard> read(std::string_view text) {
    static text::JsonDocument document;
    const auto root = document.parse(text);
    if (!root) return root.error();
    return read_new_board(document, **root);
}

base::Result<BoardConfig> patch(const BoardConfig& config, std::string_view text) {
    static text::JsonDocument document;
    const auto root = document.parse(text);
    if (!root) return root.error();
    return patch_board(config, "a", document, **root);
}

TEST(BoardJson, NeedsOnlyAnId) {
    const auto board = read(R"({"id":"speedrun"})");
    ASSERT_TRUE(board);
    EXPECT_EQ(board->slug, "speedrun");
    EXPECT_EQ(board->config, BoardConfig{});
    EXPECT_EQ(board->config.rules.columns[0].name, "score");
    EXPECT_EQ(board->config.rules.columns[0].order, Order::kDescending);
}

TEST(BoardJson, ReadsAllThatABoardHas) {
    const auto board = read(R"({"limits":{"points":{"min":0,"max":99.5},"wins":{"max":3}},
        "columns":[{"name":"points","order":"desc","decimals":2},{"name":"time","order":"asc"},{"name":"wins"}],
        "id":"a","title":"A","rule":"sum","ties":"earliest","visibility":"private","public_meta":true})");
    ASSERT_TRUE(board) << board.error().detail;
    const BoardConfig& config = board->config;
    EXPECT_EQ(config.title, "A");
    EXPECT_EQ(config.rules.rule, ranking::Rule::kSum);
    EXPECT_EQ(config.rules.ties, ranking::Ties::kEarliest);
    EXPECT_EQ(config.visibility, ledger::Visibility::kPrivate);
    EXPECT_TRUE(config.public_meta);
    ASSERT_EQ(config.rules.columns.size(), 3U);
    EXPECT_EQ(config.rules.columns[1].order, Order::kAscending);
    EXPECT_EQ(config.rules.columns[0].decimals, 2);
    EXPECT_EQ(config.limits[0].min, 0);
    EXPECT_EQ(config.limits[0].max, 9950) << "in the column's decimals, wherever `columns` stands";
    EXPECT_EQ(config.limits[1], ledger::ScoreLimits{});
    EXPECT_EQ(config.limits[2].max, 3);
}

TEST(BoardJson, PointsAtWhatIsWrong) {
    const std::pair<const char*, const char*> cases[] = {
        {"[]", ""},
        {"{}", "/id"},
        {R"({"id":"A"})", "/id"},
        {R"({"id":7})", "/id"},
        {R"({"id":"a","title":7})", "/title"},
        {R"({"id":"a","title":"x\u202e"})", "/title"},
        {R"({"id":"a","rule":"worst"})", "/rule"},
        {R"({"id":"a","ties":true})", "/ties"},
        {R"({"id":"a","visibility":"secret"})", "/visibility"},
        {R"({"id":"a","public_meta":"yes"})", "/public_meta"},
        {R"({"id":"a","colour":1})", "/colour"},
        {R"({"id":"a","a/b~":1})", "/a~1b~0"},
        {R"({"id":"a","columns":[]})", "/columns"},
        {R"({"id":"a","columns":{}})", "/columns"},
        {R"({"id":"a","columns":[{"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"},{"name":"e"}]})",
         "/columns"},
        {R"({"id":"a","columns":[{"name":"a"},7]})", "/columns/1"},
        {R"({"id":"a","columns":[{}]})", "/columns/0"},
        {R"({"id":"a","columns":[{"name":"A"}]})", "/columns/0/name"},
        {R"({"id":"a","columns":[{"name":""}]})", "/columns/0/name"},
        {R"({"id":"a","columns":[{"name":"a"},{"name":"a"}]})", "/columns/1/name"},
        {R"({"id":"a","columns":[{"name":"a","order":"up"}]})", "/columns/0/order"},
        {R"({"id":"a","columns":[{"name":"a","decimals":7}]})", "/columns/0/decimals"},
        {R"({"id":"a","columns":[{"name":"a","decimals":-1}]})", "/columns/0/decimals"},
        {R"({"id":"a","columns":[{"name":"a","decimals":1.5}]})", "/columns/0/decimals"},
        {R"({"id":"a","columns":[{"name":"a","decimals":"1"}]})", "/columns/0/decimals"},
        {R"({"id":"a","columns":[{"name":"a","x":1}]})", "/columns/0/x"},
        {R"({"id":"a","limits":7})", "/limits"},
        {R"({"id":"a","limits":{"min":"0"}})", "/limits/min"},
        {R"({"id":"a","limits":{"min":0.5}})", "/limits/min"},
        {R"({"id":"a","limits":{"max":9007199254740992}})", "/limits/max"},
        {R"({"id":"a","limits":{"most":1}})", "/limits/most"},
        {R"({"id":"a","limits":{"min":2,"max":1}})", "/limits"},
        {R"({"id":"a","columns":[{"name":"a"},{"name":"b"}],"limits":{"c":{}}})", "/limits/c"},
        {R"({"id":"a","columns":[{"name":"a"},{"name":"b"}],"limits":{"b":{"min":1,"max":0}}})",
         "/limits/b"},
        {R"({"id":"a","columns":[{"name":"a"},{"name":"b"}],"limits":{"b":{"x":1}}})",
         "/limits/b/x"},
    };
    for (const auto& [text, pointer] : cases) {
        const auto board = read(text);
        ASSERT_FALSE(board) << text;
        EXPECT_EQ(board.error().code, ErrorCode::kInvalid) << text;
        EXPECT_EQ(board.error().pointer, pointer) << text;
        EXPECT_FALSE(board.error().detail.empty());
    }
}

TEST(BoardJson, MergesAPatch) {
    BoardConfig config =
        read(R"({"id":"a","title":"T","rule":"sum","limits":{"min":1,"max":9}})")->config;
    EXPECT_EQ(*patch(config, "{}"), config);
    EXPECT_EQ(*patch(config, R"({"id":"a"})"), config) << "the id as it is";
    BoardConfig expected = config;
    expected.title = "U";
    expected.limits[0].max = 10;
    EXPECT_EQ(*patch(config, R"({"title":"U","limits":{"max":10}})"), expected);
    // null takes a member back to its default.
    EXPECT_EQ(*patch(config, R"({"title":null,"rule":null,"limits":null})"), BoardConfig{});
    expected = config;
    expected.limits[0].min.reset();
    EXPECT_EQ(*patch(config, R"({"limits":{"min":null}})"), expected);
    EXPECT_EQ(patch(config, R"({"limits":{"min":10}})").error().pointer, "/limits")
        << "above the most that stays";
    EXPECT_EQ(patch(config, R"({"id":"b"})").error().pointer, "/id");
    EXPECT_EQ(patch(config, R"({"id":null})").error().pointer, "/id");
    EXPECT_EQ(patch(config, "7").error().pointer, "");
}

TEST(BoardJson, ForgetsLimitsOfOtherColumns) {
    const BoardConfig config = read(R"({"id":"a","limits":{"min":1,"max":9}})")->config;
    const auto changed = patch(config, R"({"columns":[{"name":"score","decimals":2}]})");
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->limits[0], ledger::ScoreLimits{}) << "9 units would be 0.09 now";
    EXPECT_EQ(patch(config, R"({"columns":[{"name":"score"}]})")->limits, config.limits)
        << "the same columns";
    EXPECT_EQ(patch(config, R"({"columns":null})")->rules.columns, BoardConfig{}.rules.columns);
}

TEST(BoardJson, WritesWhatItReads) {
    const char* text =
        R"({"id":"a","title":"A \"<b>\"","rule":"last","ties":"earliest","columns":[{"name":"p","order":"asc","decimals":3},{"name":"q","order":"desc","decimals":0}],"visibility":"private","public_meta":true,"limits":{"q":{"min":-5,"max":7}},)";
    const auto read_in = read(std::string(text) + R"("rule":"last"})");
    EXPECT_FALSE(read_in) << "twice";
    std::string whole = text;
    whole.back() = '}';
    const auto board = read(whole);
    ASSERT_TRUE(board) << board.error().detail;
    std::string out;
    append_board(out, *hosted_board(board->config, "a"), "k1");
    text::JsonDocument document;
    const auto root = document.parse(out);
    ASSERT_TRUE(root) << out;
    EXPECT_EQ(out.find('<'), std::string::npos);
    for (const char* member :
         {"id", "title", "rule", "ties", "columns", "visibility", "public_meta", "limits", "state",
          "revision", "epoch", "life", "seq", "total", "created_at", "updated_at"}) {
        EXPECT_NE(document.member(**root, member), nullptr) << member;
    }
    // The configuration out of it makes the same board.
    board_comes_back("a", board->config);
}

TEST(BoardJson, SurvivesEveryInput) {
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(text::test_seed()));
    const std::vector<std::string> texts = {
        R"({"id":"a","title":"T","rule":"sum","limits":{"min":1,"max":9}})",
        R"({"id":"a","columns":[{"name":"p","order":"asc","decimals":3},{"name":"q"}],"limits":{"q":{"min":-5e0}}})",
        R"({"title":null,"ties":"shared","public_meta":false,"visibility":"public"})"};
    const BoardConfig config;
    text::read_whole_cut_and_changed(
        texts, 2000, [&](std::string_view text) { board_request_is_sound(text, config); });
}

}  // namespace
}  // namespace standings::api
