#include "base/clock.h"

#include <gtest/gtest.h>

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
