#include "text/base32.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <random>
#include <string>

namespace standings::text {
namespace {

template <class Number>
std::string as_the_library_writes(Number number) {
    char digits[16];
    return {digits, std::to_chars(digits, digits + sizeof digits, number, 32).ptr};
}

template <class Number>
std::string written(Number number) {
    std::string text = "before ";
    append_base32(text, number);
    return text.substr(7);
}

TEST(Base32, WritesWhatTheLibraryWrites) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t number = random() >> (i % 64);
        ASSERT_EQ(written(number), as_the_library_writes(number));
        const auto signed_one = static_cast<std::int64_t>(i % 2 == 0 ? number : 0 - number);
        ASSERT_EQ(written(signed_one), as_the_library_writes(signed_one));
    }
    for (const std::uint64_t number : {std::uint64_t{0}, UINT64_MAX}) {
        EXPECT_EQ(written(number), as_the_library_writes(number));
    }
    EXPECT_EQ(written(INT64_MIN), as_the_library_writes(INT64_MIN));
}

}  // namespace
}  // namespace standings::text
