#include "api/export_text.h"

#include <gtest/gtest.h>

namespace standings::api {
namespace {

engine::ExportedRow row_of(std::string_view name) {
    engine::ExportedRow row;
    row.row.place = {{2}, {3}};
    row.row.scores.units = {150, -7};
    row.row.reached_at = {1'790'000'000'123};
    row.submissions = 4;
    row.player = "ann";
    row.name = name;
    row.meta = R"({"a":"b"})";
    return row;
}

ledger::BoardConfig one_column() {
    ledger::BoardConfig config;
    config.rules.columns[0].decimals = 2;
    return config;
}

std::string csv(std::string_view name, const ledger::BoardConfig& config, bool with_meta) {
    std::string out;
    append_export_row(out, ExportFormat::kCsv, config, row_of(name), with_meta);
    return out;
}

TEST(ExportText, QuotesCsvFieldsOnlyWhereTheyNeedIt) {
    const auto config = one_column();
    EXPECT_EQ(csv("Ann", config, false), "2,3,ann,Ann,1.5,2026-09-21T14:13:20.123Z,4\r\n");
    EXPECT_EQ(csv("A, \"B\"", config, false),
              "2,3,ann,\"A, \"\"B\"\"\",1.5,2026-09-21T14:13:20.123Z,4\r\n");
    EXPECT_EQ(csv("Ann", config, true),
              "2,3,ann,Ann,1.5,2026-09-21T14:13:20.123Z,4,\"{\"\"a\"\":\"\"b\"\"}\"\r\n");
}

TEST(ExportText, NamesTheColumnsOfABoardWithSeveral) {
    ledger::BoardRecord board;
    board.config.rules.columns = {{.name = "points"}, {.name = "goals"}};
    std::string out;
    append_export_head(out, ExportFormat::kCsv, board, "k3", true);
    EXPECT_EQ(
        out,
        "rank,position,player,name,scores.points,scores.goals,reached_at,submissions,meta\r\n");
    EXPECT_EQ(csv("Ann", board.config, false), "2,3,ann,Ann,150,-7,2026-09-21T14:13:20.123Z,4\r\n");
}

TEST(ExportText, WritesJsonRowsAsStandingsDoWithTheirSubmissions) {
    const auto config = one_column();
    std::string out;
    append_export_row(out, ExportFormat::kNdjson, config, row_of("Ann"), false);
    EXPECT_EQ(out, R"({"rank":2,"position":3,"player":"ann","name":"Ann","score":1.5,)"
                   R"("reached_at":"2026-09-21T14:13:20.123Z","submissions":4})"
                   "\n");
}

TEST(ExportText, IsOneJsonObjectWhenAsked) {
    ledger::BoardRecord board;
    board.slug = "b";
    board.seq = {9};
    std::string out;
    append_export_head(out, ExportFormat::kJson, board, "k3", false);
    append_export_tail(out, ExportFormat::kJson);
    EXPECT_EQ(out, R"({"board":"b","epoch":"k3","seq":9,"rows":[]})"
                   "\n");
}

}  // namespace
}  // namespace standings::api
