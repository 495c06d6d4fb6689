#include "cli/import/row_reader.h"

#include <gtest/gtest.h>

namespace standings::cli {
namespace {

using ranking::Column;
using ranking::Order;

const std::vector<Column> kOne = {Column{}};
const std::vector<Column> kTwo = {Column{"points"}, Column{"time", Order::kAscending, 2}};

FieldMap map_of(std::string_view renamings, const std::vector<Column>& columns = kOne) {
    return *FieldMap::make(*parse_renamings(renamings), columns);
}

// The line that a record becomes, without its end; or why it becomes none.
std::string line_of(RowReader& reader, const FieldMap& map, std::string_view record) {
    const auto row = reader.read({record, 1, false});
    if (!row) return row.error().detail;
    std::string line;
    append_submission(line, **row, map.columns());
    EXPECT_TRUE(line.ends_with('\n'));
    line.pop_back();
    return line;
}

std::string from_json(std::string_view record, std::string_view renamings = "",
                      const std::vector<Column>& columns = kOne) {
    const FieldMap map = map_of(renamings, columns);
    RowReader reader(FileFormat::kNdjson, map);
    return line_of(reader, map, record);
}

std::string from_csv(std::string_view header, std::string_view record,
                     const std::vector<Column>& columns = kOne) {
    const FieldMap map = map_of("", columns);
    RowReader reader(FileFormat::kCsv, map);
    const auto read = reader.read_header(header);
    if (!read) return read.error().detail;
    return line_of(reader, map, record);
}

testing::AssertionResult says(const std::string& text, std::string_view part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "'" << part << "' is not in: " << text;
}

TEST(RowReader, NormalizesObjects) {
    EXPECT_EQ(from_json(R"({"score":1.50e1,"player":"a"})"), R"({"player":"a","score":15})");
    EXPECT_EQ(from_json(R"({"player":7,"score":-0,"name":null})"),
              R"({"player":"7","score":0,"name":null})");
    EXPECT_EQ(
        from_json(
            R"({"u":"a","score":1,"x":[{}],"t":"2026-01-01T10:00:00+01:00","meta":{ "k": 1 }})",
            "u=player,x=,t=occurred_at"),
        R"({"player":"a","score":1,"meta":{"k":1},"occurred_at":"2026-01-01T09:00:00.000Z"})");
}

TEST(RowReader, TakesSeveralColumnsByNameOrAsAnObject) {
    const std::string expected = R"({"player":"a","scores":{"points":3,"time":1.5}})";
    EXPECT_EQ(from_json(R"({"player":"a","points":3,"time":1.50})", "", kTwo), expected);
    EXPECT_EQ(from_json(R"({"player":"a","scores":{"time":1.5,"points":3}})", "", kTwo), expected);
    EXPECT_EQ(from_csv("time,player,points", "1.5,a,3", kTwo), expected);
    EXPECT_TRUE(says(from_json(R"({"player":"a","points":3})", "", kTwo), "no `time`"));
    EXPECT_TRUE(says(from_json(R"({"player":"a","scores":{"goals":1}})", "", kTwo), "'goals'"));
    EXPECT_TRUE(says(from_json(R"({"player":"a","points":1,"scores":{"points":1}})", "", kTwo),
                     "Two columns are `points`"));
}

TEST(RowReader, SaysWhatIsWrongWithARow) {
    EXPECT_TRUE(says(from_json(R"({"player":"a b","score":1})"), "'a b' is no id"));
    EXPECT_TRUE(says(from_json(R"({"player":"a","score":1.5})"),
                     "`score` is '1.5'. The number must be whole"));
    EXPECT_TRUE(says(from_json(R"({"player":"a","score":"1"})"), "'1', not a JSON number"));
    EXPECT_TRUE(says(from_json(R"({"player":"a","score":9007199254740992})"), "too large"));
    EXPECT_TRUE(says(from_json(R"({"score":1})"), "no `player`"));
    EXPECT_TRUE(says(from_json(R"({"player":"a"})"), "no `score`"));
    EXPECT_TRUE(says(from_json(R"([1])"), "no JSON object"));
    EXPECT_TRUE(says(from_json(R"({"player":)"), "ends too early"));
    EXPECT_TRUE(says(from_json("{\"player\":\"a\",\"score\":1,\"name\":\"\xFF\"}"), "JSON"));
    EXPECT_TRUE(says(from_json(R"({"player":"a","score":1,"name":"\u202e"})"), "direction"));
    EXPECT_TRUE(says(from_json(R"({"player":"a","score":1,"meta":3})"), "`meta`"));
    EXPECT_TRUE(says(from_json(R"({"player":"a","score":1,"occurred_at":"now"})"), "'now'"));
    EXPECT_TRUE(says(from_csv("player,score", "a,1,2"), "3 fields, the header has 2"));
    EXPECT_TRUE(says(from_csv("player,score", "a,\"1"), "never closed"));
    EXPECT_TRUE(says(from_csv("player,score", "a,\"1\"x"), "closing quote"));
    EXPECT_TRUE(says(from_csv("player,score", "a,"), "`score` is ''"));
    EXPECT_TRUE(says(from_csv("player,score,meta", "a,1,{"), "`meta`: The JSON ends"));
}

TEST(RowReader, AMemberThatMeansNothingIsAQuestionOfSettings) {
    const FieldMap map = map_of("");
    RowReader reader(FileFormat::kNdjson, map);
    const auto row = reader.read({R"({"player":"a","score":1,"team":"x"})", 1, false});
    ASSERT_FALSE(row);
    EXPECT_EQ(row.error().code, base::ErrorCode::kSettings);
    EXPECT_TRUE(says(row.error().detail, "--map 'team='"));
}

TEST(RowReader, ReadsFieldsByTheHeader) {
    EXPECT_EQ(
        from_csv(" score ,\"player\",name,meta,occurred_at", "\" 12 \", a ,\"x \"\"y\"\"\",,"),
        R"({"player":"a","score":12,"name":"x \"y\""})");
    EXPECT_EQ(from_csv("player,score,meta", R"(a,1,"{""k"":null}")"),
              R"({"player":"a","score":1,"meta":{"k":null}})");
    EXPECT_TRUE(says(from_csv("player,points", ""), "'points' means nothing"));
    EXPECT_TRUE(says(from_csv("player", ""), "no column 'score'"));
    EXPECT_TRUE(says(from_csv("player,score,player", ""), "two columns 'player'"));
    EXPECT_TRUE(says(from_csv("ada,30", ""), "'ada, 30' names nothing"));
    EXPECT_TRUE(says(from_csv("Player,Score", ""), "with --map 'Player=player',"));
    EXPECT_TRUE(says(from_csv("player,score", "a,12a"), "A score is a number like 12"));
}

TEST(SplitFields, FollowsRfc4180) {
    std::string unquoted;
    std::vector<std::string_view> fields;
    const auto split = [&](std::string_view record) {
        EXPECT_TRUE(split_fields(record, ',', unquoted, fields));
        return std::vector<std::string>(fields.begin(), fields.end());
    };
    using Fields = std::vector<std::string>;
    EXPECT_EQ(split(""), Fields{""});
    EXPECT_EQ(split("a,,b,"), (Fields{"a", "", "b", ""}));
    EXPECT_EQ(split("\"\",\"a,\r\n\"\"b\",\"\"\"\""), (Fields{"", "a,\r\n\"b", "\""}));
    EXPECT_EQ(split("5\" disk,\"x\""), (Fields{"5\" disk", "x"}));
}

TEST(FieldMap, KnowsTheBoardsWordsAndTheRenamed) {
    using Kind = FieldTarget::Kind;
    const FieldMap map = map_of("user=player,x=,a=b=time,s=scores.points", kTwo);
    EXPECT_EQ(map.target_of("user"), (FieldTarget{Kind::kPlayer}));
    EXPECT_EQ(map.target_of("x"), (FieldTarget{Kind::kIgnored}));
    EXPECT_EQ(map.target_of("a=b"), (FieldTarget{Kind::kScore, 1}));
    EXPECT_EQ(map.target_of("s"), (FieldTarget{Kind::kScore, 0}));
    EXPECT_EQ(map.target_of("score"), std::nullopt);
    EXPECT_EQ(map_of("").target_of("score"), (FieldTarget{Kind::kScore, 0}));
    EXPECT_FALSE(parse_renamings("user"));
    EXPECT_FALSE(parse_renamings("=player"));
    EXPECT_FALSE(FieldMap::make(*parse_renamings("a=player,a=name"), kTwo));
    EXPECT_FALSE(FieldMap::make({{"a", "goals"}}, kTwo));
}

}  // namespace
}  // namespace standings::cli
