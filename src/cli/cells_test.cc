#include "cli/cells.h"

#include <gtest/gtest.h>

#include "text/terminal_text.h"

namespace standings::cli {
namespace {

TEST(Printable, EscapesWhatATerminalWouldObey) {
    EXPECT_EQ(printable("plain さくら 👩\u200d👧"), "plain さくら 👩\u200d👧");
    EXPECT_EQ(printable("a\x1b[31mb"), "a\\u001b[31mb");
    EXPECT_EQ(printable("a\nb\tc\x7f"), "a\\u000ab\\u0009c\\u007f");
    EXPECT_EQ(printable("\u009b31m"), "\\u009b31m");
    EXPECT_EQ(printable("\u202egnp.exe"), "\\u202egnp.exe");
    EXPECT_EQ(printable("\xff"), "\\ufffd");
}

TEST(Printable, KeepsJsonTheSameJson) {
    EXPECT_EQ(printable_json("{\"a\":\"\u009b\u202e\"}\n"), "{\"a\":\"\\u009b\\u202e\"}\n");
}

TEST(Shortened, CutsBetweenGraphemesAndFillsTheCells) {
    EXPECT_EQ(shortened("abcdef", 6), "abcdef");
    EXPECT_EQ(shortened("abcdef", 5), "abcd…");
    EXPECT_EQ(shortened("abcdef", 1), "…");
    EXPECT_EQ(shortened("さくらさくら", 6), "さく…");  // a wide letter does not fit in half
    EXPECT_EQ(shortened("e\u0301e\u0301e\u0301", 2), "e\u0301…");
    EXPECT_EQ(shortened("👩\u200d👧👩\u200d👧", 3), "👩\u200d👧…");
    for (std::size_t cells = 1; cells < 12; ++cells) {
        EXPECT_LE(text::columns_of(shortened("aさb👍🏽e\u0301مريم한", cells)), cells);
    }
}

TEST(Isolated, WrapsWhatRunsFromRightToLeft) {
    EXPECT_EQ(isolated("Ada"), "Ada");
    EXPECT_EQ(isolated("さくら"), "さくら");
    EXPECT_EQ(isolated("مريم"), "\u2068مريم\u2069");
    EXPECT_EQ(isolated("x דוד"), "\u2068x דוד\u2069");
    EXPECT_EQ(text::columns_of(isolated("مريم")), 4u);
}

}  // namespace
}  // namespace standings::cli
