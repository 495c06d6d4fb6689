#include "engine/idempotency_index.h"

#include <gtest/gtest.h>

namespace standings::engine {
namespace {

using std::chrono::milliseconds;

base::Hash128 key(std::uint64_t number) {
    return {1, number};
}

TEST(IdempotencyIndex, FindsTheFirstEventOfAKey) {
    IdempotencyIndex index(10, milliseconds(100));
    EXPECT_FALSE(index.find(key(1)));
    index.add(key(1), {5}, {0});
    index.add(key(1), {6}, {0});  // the second item of an array
    index.add(key(2), {7}, {0});
    EXPECT_EQ(index.find(key(1))->value, 5U);
    EXPECT_EQ(index.find(key(2))->value, 7U);
    EXPECT_EQ(index.size(), 2U);
}

TEST(IdempotencyIndex, KeepsTheLastKeysWhenThereAreTooMany) {
    IdempotencyIndex index(3, milliseconds(100));
    for (std::uint64_t i = 1; i <= 5; ++i) index.add(key(i), {i}, {0});
    EXPECT_EQ(index.size(), 3U);
    EXPECT_FALSE(index.find(key(2)));
    EXPECT_TRUE(index.find(key(3)));
    EXPECT_TRUE(index.find(key(5)));
}

TEST(IdempotencyIndex, ForgetsAKeyOnlyAfterTheWholeWindow) {
    IdempotencyIndex index(10, milliseconds(100));
    index.add(key(1), {1}, {1000});
    index.add(key(2), {2}, {1050});
    index.expire({1100});
    EXPECT_TRUE(index.find(key(1)));
    index.expire({1101});
    EXPECT_FALSE(index.find(key(1)));
    EXPECT_TRUE(index.find(key(2)));
    // Forgotten, so it may be used for another request.
    index.add(key(1), {3}, {1101});
    EXPECT_EQ(index.find(key(1))->value, 3U);
}

TEST(IdempotencyIndex, KeepsKeysWhenTheClockGoesBack) {
    IdempotencyIndex index(10, milliseconds(100));
    index.add(key(1), {1}, {1000});
    index.add(key(2), {2}, {10});
    EXPECT_EQ(index.size(), 2U);
    index.expire({1101});
    EXPECT_EQ(index.size(), 0U);
}

}  // namespace
}  // namespace standings::engine
