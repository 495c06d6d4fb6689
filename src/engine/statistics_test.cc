#include "engine/statistics.h"

#include <gtest/gtest.h>

namespace standings::engine {
namespace {

using Histogram = DurationHistogram;

TEST(DurationHistogram, HasABucketForEachDurationAndNoneIsWiderThanAQuarter) {
    for (std::size_t i = 1; i + 1 < Histogram::kBuckets; ++i) {
        const double before = Histogram::upper_seconds(i - 1);
        EXPECT_GT(Histogram::upper_seconds(i), before);
        EXPECT_LE(Histogram::upper_seconds(i), before * 1.25 + 1e-12);
    }
    for (std::uint64_t us = 0; us < 2'000'000; us += 1 + us / 100) {
        const std::size_t bucket = Histogram::bucket_of(us);
        ASSERT_LT(bucket, Histogram::kBuckets);
        const double seconds = static_cast<double>(us) * 1e-6;
        if (bucket > 0) {
            ASSERT_GE(seconds, Histogram::upper_seconds(bucket - 1) - 1e-12) << us;
        }
        if (bucket + 1 < Histogram::kBuckets) {
            ASSERT_LT(seconds, Histogram::upper_seconds(bucket) - 1e-12) << us;
        }
    }
    EXPECT_GT(Histogram::upper_seconds(Histogram::kBuckets - 2), 1.0);
}

}  // namespace
}  // namespace standings::engine
