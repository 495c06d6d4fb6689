#include "cli/cells.h"

#include <gtest/gtest.h>

namespace standings::cli {
namespace {

TEST(Width, CountsCellsNotBytes) {
    EXPECT_EQ(width_of(""), 0u);
    EXPECT_EQ(width_of("Ada"), 3u);
    EXPECT_EQ(width_of("Ayşe"), 4u);
    EXPECT_EQ(width_of("さくら"), 6u);
    EXPECT_EQ(width_of("한국"), 4u);
    EXPECT_EQ(width_of("\u1112\u1161\u11ab"), 2u);  // one syllable of three letters
    EXPECT_EQ(width_of("e\u0301te\u0301"), 3u);     // combining accents
    EXPECT_EQ(width_of("مريم"), 4u);
    EXPECT_EQ(width_of("Z\u0351\u036b\u0343"), 1u);
}

TEST(Width, TakesTwoCellsForAnEmojiHoweverItIsPutTogether) {
    EXPECT_EQ(width_of("🎉"), 2u);
    EXPECT_EQ(width_of("👍🏽"), 2u);
    EXPECT_EQ(width_of("👩\u200d👩\u200d👧"), 2u);
    EXPECT_EQ(width_of("🇯🇵"), 2u);
    EXPECT_EQ(width_of("\u2764\ufe0f"), 2u);
    EXPECT_EQ(width_of("🎉🎉a"), 5u);
}

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
        EXPECT_LE(width_of(shortened("aさb👍🏽e\u0301مريم한", cells)), cells);
    }
}

TEST(Isolated, WrapsWhatRunsFromRightToLeft) {
    EXPECT_EQ(isolated("Ada"), "Ada");
    EXPECT_EQ(isolated("さくら"), "さくら");
    EXPECT_EQ(isolated("مريم"), "\u2068مريم\u2069");
    EXPECT_EQ(isolated("x דוד"), "\u2068x דוד\u2069");
    EXPECT_EQ(width_of(isolated("مريم")), 4u);
}

}  // namespace
}  // namespace standings::cli
