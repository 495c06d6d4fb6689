#include "base/short_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace standings::base {
namespace {

TEST(ShortText, HoldsWhatIsAddedInOrder) {
    char room[80];
    ShortText text(room);
    EXPECT_EQ(text.view(), "");
    text << "rank " << std::uint32_t{7} << std::string_view{} << ", "
         << std::uint64_t{1'234'567'890};
    text.add(2, [](char* at) { return std::fill_n(at, 2, '!'); });
    EXPECT_EQ(text.view(), "rank 7, 1234567890!!");
    text.clear();
    text << "again";
    EXPECT_EQ(text.view(), "again");
}

TEST(ShortText, IsFilledToTheLastByte) {
    char room[4];
    ShortText text(room);
    text << "abc"
         << "d";
    EXPECT_EQ(text.view(), "abcd");
}

TEST(ShortTextDeathTest, StopsBeforeItIsOverfilled) {
    char room[4];
    ShortText text(room);
    text << "abc";
    EXPECT_DEATH(text << "de", "CHECK failed");
    EXPECT_DEATH(text << 1U, "CHECK failed");  // it may have 20 digits
    EXPECT_DEATH(text.add(2, [](char* at) { return at; }), "CHECK failed");
}

}  // namespace
}  // namespace standings::base
