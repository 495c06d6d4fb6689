#include "text/clean_text.h"

#include <gtest/gtest.h>

#include "text/parser_harness.h"

namespace standings::text {
namespace {

using base::ErrorCode;

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

TEST(AsUtf8, ReplacesOnlyWhatIsWrong) {
    EXPECT_EQ(as_utf8("Ay\u015fe"), "Ay\u015fe");
    EXPECT_EQ(as_utf8("a\xFF\u015f\xC5"), "a\uFFFD\u015f\uFFFD");
}

TEST(Slug, IsWhatTheContractSays) {
    for (const std::string good : {"a", "7", "speed-run_2", "z-"}) {
        EXPECT_TRUE(is_slug(good)) << good;
    }
    for (const std::string bad : {"", "-a", "_a", "A", "a b", "ä", "a/b", "a.b"}) {
        EXPECT_FALSE(is_slug(bad)) << bad;
    }
    EXPECT_TRUE(is_slug(std::string(63, 'a')));
    EXPECT_FALSE(is_slug(std::string(64, 'a')));
    EXPECT_FALSE(is_slug(std::string_view("a\0b", 3)));
}

TEST(PlayerId, IsWhatTheContractSays) {
    for (const std::string good : {"a", "A.b_c:d@e-f", "-", "0"}) {
        EXPECT_TRUE(is_player_id(good)) << good;
    }
    for (const std::string bad : {"", "a b", "a/b", "ä", "a,b", "a%b", "a+b"}) {
        EXPECT_FALSE(is_player_id(bad)) << bad;
    }
    EXPECT_TRUE(is_player_id(std::string(128, 'x')));
    EXPECT_FALSE(is_player_id(std::string(129, 'x')));
}

TEST(Name, IsKeptAsItIsWhenItIsComposed) {
    for (const std::string name : {"Lena", "Ayşe", " x ", "日本", "مرحبا",
                                   "👩‍👩‍👧‍👦", "🇩🇪", "<b>&\"", "e\xEE\x80\x80"}) {
        const auto clean = clean_name(name, 64);
        ASSERT_TRUE(clean) << name << ": " << clean.error().detail;
        EXPECT_EQ(*clean, name);
    }
}

TEST(Name, IsComposed) {
    EXPECT_EQ(*clean_name("Ays\xCC\xA7"
                          "e",
                          64),
              "Ayşe");
    EXPECT_EQ(*clean_name("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", 64), "한");
    EXPECT_EQ(*clean_name("\xE2\x84\xAB", 64), "Å") << "the sign of Angstrom";
}

TEST(Name, IsCountedInGraphemes) {
    for (const std::string grapheme :
         {"a", "ş", "s\xCC\xA7", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "한"}) {
        EXPECT_TRUE(clean_name(repeated(grapheme, 64), 64)) << grapheme;
        const auto longer = clean_name(repeated(grapheme, 65), 64);
        ASSERT_FALSE(longer) << grapheme;
        EXPECT_EQ(longer.error().code, ErrorCode::kInvalid);
    }
    // One grapheme, but no honest one.
    EXPECT_FALSE(clean_name("a" + repeated("\xCC\x81", 2000), 64));
}

TEST(Name, HasNothingThatPlaysTricks) {
    for (const std::string bad : {"",
                                  "   ",
                                  "\xC2\xA0",
                                  "\xE2\x80\x8B",
                                  "\xE2\x80\x8D",
                                  "a\nb",
                                  "a\tb",
                                  "\x7f",
                                  "a\xC2\x85",
                                  "a\xE2\x80\xA8",
                                  "a\xE2\x80\xA9",
                                  "a\xE2\x80\xAE"
                                  "b",
                                  "a\xE2\x80\xAA",
                                  "a\xE2\x81\xA6",
                                  "a\xE2\x81\xA9",
                                  "a\xE2\x80\x8E",
                                  "a\xE2\x80\x8F",
                                  "a\xD8\x9C",
                                  "a\xEF\xBF\xBF",
                                  "a\xEF\xB7\x90",
                                  "a\xFF",
                                  "a\xC0\xAF",
                                  "a\xED\xA0\x80",
                                  "a\xE2\x82"}) {
        const auto name = clean_name(bad, 64);
        ASSERT_FALSE(name) << bad;
        EXPECT_EQ(name.error().code, ErrorCode::kInvalid);
    }
    EXPECT_FALSE(clean_name(std::string_view("a\0b", 3), 64));
}

TEST(Name, SurvivesEveryInput) {
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(test_seed()));
    const std::vector<std::string> texts = {
        "Ays\xCC\xA7"
        "e 👩‍👩‍👧‍👦 🇩🇪",
        repeated("s\xCC\xA7", 70), "\xEF\xBF\xBF\xF4\x8F\xBF\xBF", "日本語\xE2\x80\xAE"};
    read_whole_cut_and_changed(texts, 3000, [](std::string_view text) {
        const auto name = clean_name(text, 64);
        if (!name) return;
        ASSERT_TRUE(is_utf8(*name));
        const auto again = clean_name(*name, 64);
        ASSERT_TRUE(again) << *name;
        ASSERT_EQ(*again, *name) << "a clean name is clean";
    });
}

}  // namespace
}  // namespace standings::text
