#include "engine/settled_clock.h"

#include <gtest/gtest.h>

#include "engine/engine_harness.h"

namespace standings::engine {
namespace {

using namespace std::chrono_literals;

constexpr auto kYears = std::chrono::hours(24 * 365 * 50);

base::Instant since_start(std::chrono::milliseconds by) {
    return {HandClock::kStart.ms + by.count()};
}

TEST(SettledClock, GoesWithTime) {
    HandClock clock;
    SettledClock settled(clock);
    EXPECT_EQ(settled.now(), since_start(0ms));
    clock.move(5ms);
    EXPECT_EQ(settled.now(), since_start(5ms));
    clock.move(48h);
    EXPECT_EQ(settled.now(), since_start(48h + 5ms));
}

TEST(SettledClock, BelievesAStepAheadAfterAnHour) {
    HandClock clock;
    SettledClock settled(clock);
    clock.set_ahead(kYears);
    EXPECT_EQ(settled.now(), since_start(0ms));
    clock.move(59min);
    EXPECT_EQ(settled.now(), since_start(59min));
    clock.move(1min);
    EXPECT_EQ(settled.now(), since_start(kYears + 60min));
    clock.move(1min);
    EXPECT_EQ(settled.now(), since_start(kYears + 61min));
}

TEST(SettledClock, GivesEachJumpAnHourOfItsOwn) {
    for (const auto first : {std::chrono::milliseconds(200), std::chrono::milliseconds(5000)}) {
        HandClock clock;
        SettledClock settled(clock);
        clock.set_ahead(first);
        settled.now();
        clock.move(59min);
        settled.now();
        clock.set_ahead(kYears);
        settled.now();
        clock.move(59min);
        EXPECT_LT(settled.now(), since_start(24h));
        clock.move(1min);
        EXPECT_GT(settled.now(), since_start(kYears));
    }
}

TEST(SettledClock, ForgetsAStepThatIsPutRight) {
    HandClock clock;
    SettledClock settled(clock);
    for (int round = 0; round < 5; ++round) {
        clock.set_ahead(kYears);
        clock.move(30min);
        EXPECT_LT(settled.now(), since_start(kYears));
        clock.set_ahead(-kYears);
        clock.move(1min);
        EXPECT_LT(settled.now(), since_start(24h));
    }
}

TEST(SettledClock, BelievesAStepBackAtOnce) {
    HandClock clock;
    SettledClock settled(clock);
    clock.set_ahead(-kYears);
    EXPECT_EQ(settled.now(), since_start(-kYears));
    clock.move(1h);
    EXPECT_EQ(settled.now(), since_start(1h - kYears));
}

}  // namespace
}  // namespace standings::engine
