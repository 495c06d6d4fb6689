#include "live/view.h"

#include <gtest/gtest.h>

namespace standings::live {
namespace {

TEST(View, HasOneNameForAllWhoWatchIt) {
    EXPECT_EQ(name_of({ViewKind::kTop, "speedrun", "", 25}), "speedrun/all/top/25");
    EXPECT_EQ(name_of({ViewKind::kAround, "speedrun", "u_812", 5}), "speedrun/all/around/5/u_812");
    EXPECT_EQ(name_of({ViewKind::kPlayer, "speedrun", "u_812"}), "speedrun/all/player/u_812");
}

TEST(View, RoundsSizesUpToFew) {
    EXPECT_EQ(round_top(0), std::nullopt);
    EXPECT_EQ(round_top(1), 10U);
    EXPECT_EQ(round_top(10), 10U);
    EXPECT_EQ(round_top(11), 25U);
    EXPECT_EQ(round_top(51), 100U);
    EXPECT_EQ(round_top(100), 100U);
    EXPECT_EQ(round_top(101), std::nullopt);
    EXPECT_EQ(round_span(0), std::nullopt);
    EXPECT_EQ(round_span(1), 3U);
    EXPECT_EQ(round_span(4), 5U);
    EXPECT_EQ(round_span(10), 10U);
    EXPECT_EQ(round_span(11), std::nullopt);
}

}  // namespace
}  // namespace standings::live
