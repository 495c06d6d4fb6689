#include "cli/import/record_cutter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace standings::cli {
namespace {

using Syntax = RecordCutter::Syntax;

struct Found {
    std::string text;
    std::uint64_t line;
    bool too_long;
    friend bool operator==(const Found&, const Found&) = default;
};

void take_all(RecordCutter& cutter, std::vector<Found>& found) {
    while (const auto record = cutter.next())
        found.push_back({std::string(record->text), record->line, record->too_long});
}

std::vector<Found> in_pieces(Syntax syntax, std::string_view text, std::size_t first,
                             std::size_t size) {
    RecordCutter cutter(syntax);
    std::vector<Found> found;
    cutter.feed(text.substr(0, first));
    take_all(cutter, found);
    for (std::size_t at = first; at < text.size(); at += size) {
        cutter.feed(text.substr(at, size));
        take_all(cutter, found);
    }
    cutter.end();
    take_all(cutter, found);
    return found;
}

// The records of `text`, which must be the same however it is cut.
std::vector<Found> records(Syntax syntax, std::string_view text) {
    const auto whole = in_pieces(syntax, text, text.size(), 1);
    if (text.size() < 1000) {
        for (std::size_t at = 0; at <= text.size(); ++at)
            EXPECT_EQ(in_pieces(syntax, text, at, text.size()), whole) << "cut at " << at;
    }
    for (const std::size_t size : {1U, 2U, 3U, 7U, 4096U})
        EXPECT_EQ(in_pieces(syntax, text, 0, size), whole) << "pieces of " << size;
    return whole;
}

TEST(RecordCutter, GivesLinesWithoutTheirEnds) {
    EXPECT_EQ(
        records(Syntax::kLines, "\xEF\xBB\xBF{}\r\n\n{\"a\":\"\\n\"}\nlast"),
        (std::vector<Found>{
            {"{}", 1, false}, {"", 2, false}, {"{\"a\":\"\\n\"}", 3, false}, {"last", 4, false}}));
    EXPECT_TRUE(records(Syntax::kLines, "").empty());
    EXPECT_TRUE(records(Syntax::kLines, "\xEF\xBB\xBF").empty());
    EXPECT_EQ(records(Syntax::kLines, "\xEF\xBB"), (std::vector<Found>{{"\xEF\xBB", 1, false}}));
}

TEST(RecordCutter, KeepsLineEndsInsideQuotes) {
    EXPECT_EQ(records(Syntax::kCommas, "a,\"b\r\n\"\"c\n\",d\r\n\"\",x\ne\n"),
              (std::vector<Found>{
                  {"a,\"b\r\n\"\"c\n\",d", 1, false}, {"\"\",x", 4, false}, {"e", 5, false}}));
    EXPECT_EQ(
        records(Syntax::kTabs, "a\t\"b\nc\"\nd,\"e\nf\n"),
        (std::vector<Found>{{"a\t\"b\nc\"", 1, false}, {"d,\"e", 3, false}, {"f", 4, false}}));
}

TEST(RecordCutter, TakesAQuoteInsideAFieldAsItIs) {
    EXPECT_EQ(records(Syntax::kCommas, "5\" disk,1\nb,2\n"),
              (std::vector<Found>{{"5\" disk,1", 1, false}, {"b,2", 2, false}}));
}

TEST(RecordCutter, GivesAnUnclosedQuoteAsTheLastRecord) {
    EXPECT_EQ(records(Syntax::kCommas, "a,\"b\nc\n"),
              (std::vector<Found>{{"a,\"b\nc\n", 1, false}}));
}

TEST(RecordCutter, SkipsWhatIsTooLongToTheNextLine) {
    const std::string longest(kMaxRecordBytes, 'x');
    for (const Syntax syntax : {Syntax::kLines, Syntax::kCommas}) {
        EXPECT_EQ(records(syntax, longest + "\nb\n"),
                  (std::vector<Found>{{longest, 1, false}, {"b", 2, false}}));
        const std::string head(256, 'x');
        EXPECT_EQ(records(syntax, longest + "y\nb\n" + longest + "zz\nc"),
                  (std::vector<Found>{
                      {head, 1, true}, {"b", 2, false}, {head, 3, true}, {"c", 4, false}}));
        EXPECT_EQ(records(syntax, longest + "yy"), (std::vector<Found>{{head, 1, true}}));
    }
}

}  // namespace
}  // namespace standings::cli
