#include "base/digits.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

namespace standings::base {
namespace {

std::string written(std::uint64_t number) {
    std::string out(kMaxDigits, '?');
    out.resize(static_cast<std::size_t>(write_digits(out.data(), number) - out.data()));
    return out;
}

TEST(Digits, EachNumberOfFourDigitsInEachHalf) {
    for (std::uint64_t number = 0; number < 10'000; ++number) {
        ASSERT_EQ(written(number), std::to_string(number));
        ASSERT_EQ(written(number * 10'000), std::to_string(number * 10'000));
        ASSERT_EQ(written(12'340'000 + number), std::to_string(12'340'000 + number));
    }
}

TEST(Digits, AroundEachPowerOfTen) {
    std::uint64_t power = 1;
    for (std::size_t digits = 1; digits <= kMaxDigits; ++digits) {
        for (const std::uint64_t number : {power - 1, power, power + 1}) {
            EXPECT_EQ(written(number), std::to_string(number));
        }
        if (digits < kMaxDigits) power *= 10;
    }
    const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(written(largest), std::to_string(largest));
}

TEST(Digits, NumbersOfEachLength) {
    const char* const given = std::getenv("STANDINGS_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t number = random() >> random() % 64;
        ASSERT_EQ(written(number), std::to_string(number));
    }
}

}  // namespace
}  // namespace standings::base
