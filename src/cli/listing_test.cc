#include "cli/listing.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cli/cells.h"
#include "text/terminal_text.h"

namespace standings::cli {
namespace {

using Kind = TableColumn::Kind;

const std::vector<TableColumn> kColumns = {
    {"RANK", Kind::kNumber}, {"NAME"}, {"SCORE", Kind::kNumber}, {"REACHED", Kind::kExtra}};

std::vector<std::vector<std::string>> rows_of_many_scripts() {
    const std::string time = "2026-11-21T00:15:00.120Z";
    return {{"1", "さくら さくら さくら さくら さくら", "9007199254740991", time},
            {"2", "مريم", "-1.5", time},
            {"3", "👩\u200d👩\u200d👧 family", "10", time},
            {"10", "e\u0301te\u0301", "2", time}};
}

TEST(Table, AlignsByCells) {
    const std::string out = table(kColumns, rows_of_many_scripts(), {.isolates = true});
    EXPECT_EQ(out,
              "RANK  NAME                                           SCORE  REACHED\n"
              "   1  さくら さくら さくら さくら さくら  9007199254740991  "
              "2026-11-21T00:15:00.120Z\n"
              "   2  \u2068مريم\u2069                                            -1.5  "
              "2026-11-21T00:15:00.120Z\n"
              "   3  👩\u200d👩\u200d👧 family                                         10  "
              "2026-11-21T00:15:00.120Z\n"
              "  10  e\u0301te\u0301                                                2  "
              "2026-11-21T00:15:00.120Z\n");
}

TEST(Table, AddsNothingToNamesWhereNoTerminalIs) {
    const std::string out = table(kColumns, rows_of_many_scripts(), {});
    EXPECT_NE(out.find("  مريم  "), std::string::npos) << out;
    EXPECT_EQ(out.find("\u2068"), std::string::npos) << out;
}

TEST(Table, ColoursCellsAndNoSpaceBesideThem) {
    const auto colour = [](std::size_t row, std::size_t column) {
        return std::string(row == 1 && column == 0 ? "32" : row == 0 && column == 1 ? "1;33" : "");
    };
    EXPECT_EQ(
        table({{"N", Kind::kNumber}, {"NAME"}}, {{"10", "ab"}, {"2", "abc"}}, {.colour = colour}),
        " N  NAME\n"
        "10  \x1b[1;33mab\x1b[0m\n"
        " \x1b[32m2\x1b[0m  abc\n");
}

TEST(Table, FitsTheWidthAndKeepsNumbersWhole) {
    for (const std::size_t width : {36u, 40u, 60u, 80u, 120u}) {
        const std::string out = table(kColumns, rows_of_many_scripts(), {.width = width});
        std::istringstream lines(out);
        int count = 0;
        for (std::string line; std::getline(lines, line); ++count) {
            EXPECT_LE(text::columns_of(line), width) << line;
            EXPECT_FALSE(line.ends_with(' ')) << line;
        }
        EXPECT_EQ(count, 5);
        EXPECT_NE(out.find("9007199254740991"), std::string::npos);
        EXPECT_EQ(out.find("REACHED") != std::string::npos, width > 60) << out;
    }
}

TEST(Table, LetsNoNameTouchTheTerminal) {
    const std::string out = table({{"NAME"}}, {{"a\x1b[2Jb\nc"}}, {.bold_head = true});
    EXPECT_EQ(out, "\x1b[1mNAME\x1b[0m\na\\u001b[2Jb\\u000ac\n");
}

TEST(Table, EndsNoLineInSpaces) {
    EXPECT_EQ(table({{"A"}, {"B"}, {"C"}}, {{"1", "", ""}}, {}), "A  B  C\n1\n");
}

Listing two_rows() {
    Listing listing({{"rank", "rank", Kind::kNumber},
                     {"name", "name"},
                     {"points", "scores.points", Kind::kNumber},
                     {"id", "player", Kind::kText, false}});
    listing.add(
        R"({"rank":1,"name":"a \"b\", c","scores":{"points":12345678901234.10},"player":"x"})");
    listing.add(R"({"rank":2,"scores":{"points":-0.000001},"player":"=1+1","meta":{"a":1}})");
    return listing;
}

TEST(Listing, KeepsTheDigitsInEveryForm) {
    const Listing listing = two_rows();
    EXPECT_EQ(listing.shown_as(Format::kTable, "", {}),
              "RANK  NAME                 POINTS\n"
              "   1  a \"b\", c  12345678901234.10\n"
              "   2                    -0.000001\n");
    EXPECT_EQ(listing.shown_as(Format::kCsv, "", {}),
              "rank,name,scores.points,player\r\n"
              "1,\"a \"\"b\"\", c\",12345678901234.10,x\r\n"
              "2,,-0.000001,=1+1\r\n");
    EXPECT_EQ(
        listing.shown_as(Format::kNdjson, "", {}),
        "{\"rank\":1,\"name\":\"a \\\"b\\\", c\",\"scores\":{\"points\":12345678901234.10},"
        "\"player\":\"x\"}\n"
        "{\"rank\":2,\"scores\":{\"points\":-0.000001},\"player\":\"=1+1\",\"meta\":{\"a\":1}}"
        "\n");
    EXPECT_EQ(listing.shown_as(Format::kJson, "{\"rows\":[]}", {}), "{\"rows\":[]}\n");
}

TEST(Csv, QuotesWhatHasToBe) {
    const auto field = [](std::string_view text) {
        std::string out;
        append_csv_field(out, text);
        return out;
    };
    EXPECT_EQ(field("plain"), "plain");
    EXPECT_EQ(field(""), "");
    EXPECT_EQ(field("a,b"), "\"a,b\"");
    EXPECT_EQ(field("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(field("a\r\nb"), "\"a\r\nb\"");
    EXPECT_EQ(field(" a"), "\" a\"");
    EXPECT_EQ(field("=cmd()"), "=cmd()");
}

}  // namespace
}  // namespace standings::cli
