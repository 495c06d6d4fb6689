#include "ledger/event_age.h"

#include <gtest/gtest.h>

namespace standings::ledger {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::int64_t kMinute = 60'000;

TEST(EventAge, IsTheTimeBetweenEvents) {
    EventAge age(hours(24));
    EXPECT_EQ(age.back_to({1000 * kMinute}), minutes(0));
    EXPECT_EQ(age.back_to({995 * kMinute}), minutes(5));
    EXPECT_EQ(age.back_to({995 * kMinute}), minutes(5));
    EXPECT_EQ(age.back_to({935 * kMinute}), minutes(65));
}

TEST(EventAge, DoesNotGrowByMoreThanA24thOfTheWindowWhereTheClockWasSet) {
    constexpr std::int64_t kYear = 365 * 24 * 60 * kMinute;
    EventAge age(hours(24));
    EXPECT_EQ(age.back_to({10 * kYear}), minutes(0));
    EXPECT_EQ(age.back_to({0}), hours(1));           // it was set ahead
    EXPECT_EQ(age.back_to({10 * kYear}), hours(1));  // and back
    EXPECT_EQ(age.back_to({-10 * kYear}), hours(2));
    EXPECT_EQ(age.back_to({INT64_MAX}), hours(2));
    EXPECT_EQ(age.back_to({INT64_MIN}), hours(3));
}

}  // namespace
}  // namespace standings::ledger
