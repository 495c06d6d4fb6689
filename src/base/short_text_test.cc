#include "base/short_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace standings::base {
namespace {

TEST(ShortText, HoldsWhatIsAddedInOrder) {
    ShortText<80> text;
    EXPECT_EQ(text.view(), "");
    text << "rank " << std::uint32_t{7} << std::string_view{} << ", " << std::int64_t{-12};
    text.add(2, [](char* at) { return std::fill_n(at, 2, '!'); });
    EXPECT_EQ(text.view(), "rank 7, -12!!");
    text.clear();
    text << "again";
    EXPECT_EQ(text.view(), "again");
}

TEST(ShortText, IsFilledToTheLastByte) {
    ShortText<4> text;
    text << "abc"
         << "d";
    EXPECT_EQ(text.view(), "abcd");
}

TEST(ShortTextDeathTest, StopsBeforeItIsOverfilled) {
    ShortText<4> text;
    text << "abc";
    EXPECT_DEATH(text << "de", "CHECK failed");
    EXPECT_DEATH(text << 1, "CHECK failed");  // it may have 20 digits
    EXPECT_DEATH(text.add(2, [](char* at) { return at; }), "CHECK failed");
}

}  // namespace
}  // namespace standings::base
