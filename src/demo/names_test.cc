#include "demo/names.h"

#include <gtest/gtest.h>

#include <set>

#include "text/clean_text.h"

namespace standings::demo {
namespace {

constexpr std::size_t kLongest = 24;

TEST(Names, AreTakenAsTheyAreByEveryBoard) {
    Chance chance(7);
    for (const Naming& naming : namings()) {
        for (int i = 0; i < 2000; ++i) {
            const std::string name = make_name(naming.script, chance);
            const auto cleaned = text::clean_name(name, kLongest);
            ASSERT_TRUE(cleaned) << name << ": " << cleaned.error().detail;
            ASSERT_EQ(*cleaned, name) << "not in normal form";
        }
    }
}

TEST(Names, DifferEnoughToTellPlayersApart) {
    Chance chance(7);
    for (const Naming& naming : namings()) {
        std::set<std::string> seen;
        for (int i = 0; i < 200; ++i) seen.insert(make_name(naming.script, chance));
        EXPECT_GT(seen.size(), 30U) << static_cast<int>(naming.script);
    }
}

TEST(Names, ComeFromEveryScriptInSharesThatAddUp) {
    double sum = 0;
    for (std::size_t i = 0; i < kScripts; ++i) {
        EXPECT_EQ(static_cast<std::size_t>(namings()[i].script), i);
        EXPECT_GT(namings()[i].share, 0);
        sum += namings()[i].share;
    }
    EXPECT_NEAR(sum, 1.0, 1e-9);
}

}  // namespace
}  // namespace standings::demo
