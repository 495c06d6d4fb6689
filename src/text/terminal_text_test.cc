#include "text/terminal_text.h"

#include <gtest/gtest.h>

namespace standings::text {
namespace {

TEST(TerminalText, LeavesNamesOfAllScriptsAsTheyAre) {
    for (const char* name : {"Ayşe", "Ярослав", "Νίκος", "نور", "נועה", "प्रिया", "สมชาย", "さくら",
                             "김서윤", "李小龙", "Fox 👩‍🚀", "~"}) {
        EXPECT_EQ(for_terminal(name, 40), name);
    }
}

TEST(TerminalText, CountsColumnsNotBytes) {
    EXPECT_EQ(columns_of("Ayşe"), 4U);
    EXPECT_EQ(columns_of("李小龙"), 6U);
    EXPECT_EQ(columns_of("김서윤"), 6U);
    EXPECT_EQ(columns_of("e\u0301"), 1U);
    EXPECT_EQ(columns_of(""), 0U);
}

TEST(TerminalText, CountsColumnsByGrapheme) {
    EXPECT_EQ(columns_of(""), 0u);
    EXPECT_EQ(columns_of("Ada"), 3u);
    EXPECT_EQ(columns_of("Ayşe"), 4u);
    EXPECT_EQ(columns_of("さくら"), 6u);
    EXPECT_EQ(columns_of("한국"), 4u);
    EXPECT_EQ(columns_of("\u1112\u1161\u11ab"), 2u);  // one syllable of three letters
    EXPECT_EQ(columns_of("e\u0301te\u0301"), 3u);     // combining accents
    EXPECT_EQ(columns_of("مريم"), 4u);
    EXPECT_EQ(columns_of("Z\u0351\u036b\u0343"), 1u);
}

TEST(TerminalText, GivesTwoColumnsToAnEmojiHoweverItIsPutTogether) {
    EXPECT_EQ(columns_of("🎉"), 2u);
    EXPECT_EQ(columns_of("👍🏽"), 2u);
    EXPECT_EQ(columns_of("👩\u200d👩\u200d👧"), 2u);
    EXPECT_EQ(columns_of("🇯🇵"), 2u);
    EXPECT_EQ(columns_of("\u2764\ufe0f"), 2u);
    EXPECT_EQ(columns_of("🎉🎉a"), 5u);
}

TEST(TerminalText, CutsToTheWidth) {
    EXPECT_EQ(for_terminal("abcdef", 6), "abcdef");
    EXPECT_EQ(for_terminal("abcdefg", 6), "abcde…");
    EXPECT_EQ(for_terminal("李小龙", 6), "李小龙");
    EXPECT_EQ(for_terminal("李小龙", 5), "李小…");
    EXPECT_EQ(for_terminal("李小龙", 4), "李…");
    for (std::size_t columns = 2; columns < 12; ++columns) {
        EXPECT_LE(columns_of(for_terminal("龙a龙ab龙abc", columns)), columns);
    }
}

TEST(TerminalText, LetsNothingSteerTheTerminal) {
    EXPECT_EQ(for_terminal("a\x1b[31mb", 40), "a?[31mb");
    EXPECT_EQ(for_terminal("a\r\nb\tc\x7f", 40), "a??b?c?");
    EXPECT_EQ(for_terminal("\u009b31m", 40), "?31m");
    EXPECT_EQ(for_terminal("a\u202eb\u2066c\u200fd", 40), "a?b?c?d");
    EXPECT_EQ(for_terminal("a\u2028b", 40), "a?b");
    EXPECT_EQ(for_terminal("a\xff\xc3", 40), "a??");
    EXPECT_EQ(for_terminal(std::string_view("a\0b", 3), 40), "a?b");
}

TEST(TerminalText, BoundsCombiningCharacters) {
    std::string zalgo = "e";
    for (int i = 0; i < 10'000; ++i) zalgo += "\u0301";
    EXPECT_LT(for_terminal(zalgo, 10).size(), 200U);
}

}  // namespace
}  // namespace standings::text
