#include "ranking/score.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>

namespace standings::ranking {
namespace {

std::optional<std::int64_t> parsed(std::string_view text, std::uint8_t decimals) {
    const auto units = parse_units(text, decimals);
    if (!units) {
        EXPECT_EQ(units.error().code, base::ErrorCode::kInvalid);
        EXPECT_TRUE(units.error().detail.ends_with('.')) << units.error().detail;
        return std::nullopt;
    }
    return *units;
}

std::string written(std::int64_t units, std::uint8_t decimals) {
    std::string out;
    append_units(out, units, decimals);
    return out;
}

TEST(ParseUnits, ReadsEveryWayToWriteANumber) {
    EXPECT_EQ(parsed("0", 0), 0);
    EXPECT_EQ(parsed("-0", 0), 0);
    EXPECT_EQ(parsed("-0.000e5", 0), 0);
    EXPECT_EQ(parsed("12", 0), 12);
    EXPECT_EQ(parsed("-12", 0), -12);
    EXPECT_EQ(parsed("12", 3), 12000);
    EXPECT_EQ(parsed("1.50", 1), 15);
    EXPECT_EQ(parsed("1.500", 1), 15);
    EXPECT_EQ(parsed("15e-1", 1), 15);
    EXPECT_EQ(parsed("1E+2", 0), 100);
    EXPECT_EQ(parsed("1e2", 2), 10000);
    EXPECT_EQ(parsed("0.0015e3", 1), 15);
    EXPECT_EQ(parsed("1500e-2", 0), 15);
    EXPECT_EQ(parsed("1.000", 0), 1);
    EXPECT_EQ(parsed("-1.050", 2), -105);
    EXPECT_EQ(parsed("1e00000000000000000000002", 0), 100);
    EXPECT_EQ(parsed("0.000001", 6), 1);
    EXPECT_EQ(parsed("9007199254.740991", 6), kMaxUnits);
}

TEST(ParseUnits, RefusesWhatIsNotAJsonNumber) {
    for (const char* text :
         {"",      "-",   "+1",       "01",        "-01",     "00",    ".5",  "1.",
          "1.e1",  "1e",  "1e+",      "1e-",       "e1",      "1 ",    " 1",  "1,5",
          "0x10",  "NaN", "Infinity", "-Infinity", "1e1.5",   "1.2.3", "--1", "1e+-1",
          "\"1\"", "1f",  "null",     "1_000",     "\xD9\xA1"}) {
        EXPECT_EQ(parsed(text, 6), std::nullopt) << text;
    }
    EXPECT_EQ(parsed(std::string_view("1\0", 2), 0), std::nullopt);
}

TEST(ParseUnits, RefusesMoreDecimalsThanTheColumnHas) {
    EXPECT_EQ(parsed("1.5", 0), std::nullopt);
    EXPECT_EQ(parsed("1.55", 1), std::nullopt);
    EXPECT_EQ(parsed("1e-7", 6), std::nullopt);
    EXPECT_EQ(parsed("0.0000001", 6), std::nullopt);
    EXPECT_EQ(parsed("1.00000000000000000001", 6), std::nullopt);
    EXPECT_EQ(parsed("1.00000000000000000000", 0), 1);
}

TEST(ParseUnits, HoldsUpToTheLargestAndNotOneMore) {
    EXPECT_EQ(parsed("9007199254740991", 0), kMaxUnits);
    EXPECT_EQ(parsed("-9007199254740991", 0), -kMaxUnits);
    EXPECT_EQ(parsed("9007199254740992", 0), std::nullopt);
    EXPECT_EQ(parsed("-9007199254740992", 0), std::nullopt);
    EXPECT_EQ(parsed("9007199254740991.000", 0), kMaxUnits);
    EXPECT_EQ(parsed("900719925474099.1", 1), kMaxUnits);
    EXPECT_EQ(parsed("900719925474099.2", 1), std::nullopt);
    EXPECT_EQ(parsed("9007199254740991", 1), std::nullopt);
    EXPECT_EQ(parsed("1e15", 0), 1'000'000'000'000'000);
    EXPECT_EQ(parsed("1e16", 0), std::nullopt);
    EXPECT_EQ(parsed("99999999999999999999999999", 0), std::nullopt);
}

TEST(ParseUnits, IsBoundedWhateverTheExponent) {
    EXPECT_EQ(parsed("1e999999999", 0), std::nullopt);
    EXPECT_EQ(parsed("1e-999999999", 6), std::nullopt);
    EXPECT_EQ(parsed("0e999999999999999999999999", 0), 0);
    EXPECT_EQ(parsed("1e99999999999999999999999999999999", 6), std::nullopt);
    EXPECT_EQ(parsed("1e-99999999999999999999999999999999", 6), std::nullopt);
    const std::string zeros(100'000, '0');
    EXPECT_EQ(parsed("1" + zeros + "e-100000", 0), 1);
    EXPECT_EQ(parsed("0." + zeros + "1e100001", 0), 1);
    EXPECT_EQ(parsed("0." + zeros + "1e100000", 0), std::nullopt);
    EXPECT_EQ(parsed("0." + zeros + "1e100000", 1), 1);
}

TEST(AppendUnits, WritesTheShortestNumber) {
    EXPECT_EQ(written(0, 0), "0");
    EXPECT_EQ(written(0, 6), "0");
    EXPECT_EQ(written(15, 1), "1.5");
    EXPECT_EQ(written(150, 2), "1.5");
    EXPECT_EQ(written(-5, 2), "-0.05");
    EXPECT_EQ(written(100, 2), "1");
    EXPECT_EQ(written(1000, 0), "1000");
    EXPECT_EQ(written(1, 6), "0.000001");
    EXPECT_EQ(written(kMaxUnits, 0), "9007199254740991");
    EXPECT_EQ(written(-kMaxUnits, 6), "-9007199254.740991");
    EXPECT_EQ(written(INT64_MIN, 0), "-9223372036854775808");
    EXPECT_EQ(written(INT64_MIN, 1), "-922337203685477580.8");
    EXPECT_EQ(written(INT64_MIN, 6), "-9223372036854.775808");
}

TEST(AppendUnits, IsReadBackAsTheSameUnits) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20'000; ++i) {
        const auto decimals = static_cast<std::uint8_t>(random() % (kMaxDecimals + 1));
        const auto size = static_cast<int>(random() % 53) + 1;
        auto units = static_cast<std::int64_t>(random() >> (64 - size));
        if (random() % 2 == 0) units = -units;
        ASSERT_EQ(parsed(written(units, decimals), decimals), units);
    }
}

}  // namespace
}  // namespace standings::ranking
