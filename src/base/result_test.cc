#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace standings::base {
namespace {

Result<std::unique_ptr<int>> make(bool works) {
    if (!works) return Error{ErrorCode::kIo, "no disk"};
    return std::make_unique<int>(7);
}

TEST(Result, HoldsAValueThatCanMoveOut) {
    auto result = make(true);
    ASSERT_TRUE(result);
    const std::unique_ptr<int> value = *std::move(result);
    EXPECT_EQ(*value, 7);
}

TEST(Result, HoldsAnErrorThatGrowsContext) {
    const auto result = make(false);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().with_context("open").detail, "open: no disk");
}

TEST(ResultDeathTest, ReadingTheWrongSideStops) {
    const auto result = make(false);
    EXPECT_DEATH(static_cast<void>(result.value()), "CHECK failed");
}

}  // namespace
}  // namespace standings::base
