#include "cli/watch/comeback.h"

#include <gtest/gtest.h>

#include <set>

namespace standings::cli {
namespace {

using std::chrono::milliseconds;

TEST(Comeback, IsNotBeforeTheServerAskedAndNotAllAtOnce) {
    base::SeededRandom random(7);
    std::set<milliseconds> pauses;
    for (int i = 0; i < 200; ++i) {
        Comeback comeback(random);
        comeback.asked(milliseconds(1500));
        const milliseconds pause = comeback.next_pause();
        EXPECT_GE(pause, milliseconds(1500));
        EXPECT_LE(pause, milliseconds(2250));
        pauses.insert(pause);
    }
    EXPECT_GT(pauses.size(), 100u);
}

TEST(Comeback, WaitsLongerEachTimeInVainUpToALimit) {
    base::SeededRandom random(7);
    Comeback comeback(random);
    comeback.asked(milliseconds(1000));
    for (const int least : {1000, 2000, 4000, 8000, 10'000, 10'000, 10'000}) {
        const milliseconds pause = comeback.next_pause();
        EXPECT_GE(pause, milliseconds(least));
        EXPECT_LE(pause, milliseconds(least + least / 2));
    }
    comeback.arrived();
    EXPECT_LE(comeback.next_pause(), milliseconds(1500));
}

TEST(Comeback, FollowsNoServerToNeverAndHammersNone) {
    base::SeededRandom random(7);
    Comeback comeback(random);
    comeback.asked(std::chrono::hours(1000));
    EXPECT_LE(comeback.next_pause(), std::chrono::seconds(90));
    comeback.arrived();
    comeback.asked(milliseconds(0));
    EXPECT_GE(comeback.next_pause(), milliseconds(100));
}

}  // namespace
}  // namespace standings::cli
