#include "base/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>

namespace standings::base {
namespace {

TEST(Clock, WritesMillisecondsInUtc) {
    EXPECT_EQ(rfc3339(Instant{0}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339(Instant{1'795'220'100'120}), "2026-11-21T00:15:00.120Z");
    EXPECT_EQ(rfc3339(Instant{-1}), "1969-12-31T23:59:59.999Z");
}

TEST(Clock, ReadsWhatItWrites) {
    for (const std::int64_t ms : {0LL, 1LL, -1LL, 951'782'400'000LL, 1'795'220'100'120LL}) {
        EXPECT_EQ(parse_rfc3339(rfc3339(Instant{ms})), Instant{ms});
    }
}

TEST(Clock, WritesEachMomentAsTheCalendarHasIt) {
    using namespace std::chrono;
    const sys_days last = year{9999} / December / 31;
    std::int64_t in_day = 0;
    for (sys_days day = year{0} / January / 1; day <= last; day += days{29}) {
        in_day = (in_day + 12'345'678) % 86'400'000;
        const year_month_day date{day};
        const hh_mm_ss time{milliseconds{in_day}};
        char expected[64];
        std::snprintf(expected, sizeof expected, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                      static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                      static_cast<int>(time.minutes().count()),
                      static_cast<int>(time.seconds().count()),
                      static_cast<int>(time.subseconds().count()));
        const std::int64_t midnight = day.time_since_epoch().count() * std::int64_t{86'400'000};
        ASSERT_EQ(rfc3339(Instant{midnight + in_day}), expected);
    }
}

TEST(Clock, ReadsOffsetsAndFractions) {
    const Instant expected{1'795'220'100'120};
    EXPECT_EQ(parse_rfc3339("2026-11-21T01:15:00.12+01:00"), expected);
    EXPECT_EQ(parse_rfc3339("2026-11-20T23:45:00.1209999-00:30"), expected);
    EXPECT_EQ(parse_rfc3339("2026-11-21t00:15:00.120z"), expected);
}

TEST(Clock, RefusesWhatIsNoTime) {
    for (const auto* text :
         {"", "2026", "2026-11-21", "2026-11-21T00:15:00", "2026-02-29T00:00:00Z",
          "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T00:60:00Z",
          "2026-11-21T00:00:00.Z", "2026-11-21T00:00:00Zx", "2026-11-21T00:00:00+1:00"}) {
        EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace standings::base
