#include "engine/idempotency_index.h"

#include <gtest/gtest.h>

namespace standings::engine {
namespace {

using std::chrono::milliseconds;

base::Hash128 key(std::uint64_t number) {
    return {1, number};
}

base::Monotonic at(std::int64_t ms) {
    return milliseconds(ms);
}

TEST(IdempotencyIndex, FindsTheNewestUseOfAKey) {
    IdempotencyIndex index(10, milliseconds(100));
    EXPECT_FALSE(index.find(key(1)));
    index.add(key(1), {5}, at(0));
    index.add(key(2), {6}, at(10));
    index.add(key(1), {7}, at(50));
    EXPECT_EQ(index.find(key(1))->value, 7U);
    EXPECT_EQ(index.find(key(2))->value, 6U);
    EXPECT_EQ(index.size(), 2U);
    // It lives as long as its newest use.
    index.expire(at(111));
    EXPECT_EQ(index.find(key(1))->value, 7U);
    EXPECT_FALSE(index.find(key(2)));
    index.expire(at(151));
    EXPECT_FALSE(index.find(key(1)));
    EXPECT_EQ(index.size(), 0U);
}

TEST(IdempotencyIndex, KeepsTheLastKeysWhenThereAreTooMany) {
    IdempotencyIndex index(3, milliseconds(100));
    for (std::uint64_t i = 1; i <= 5; ++i) index.add(key(i), {i}, at(0));
    EXPECT_EQ(index.size(), 3U);
    EXPECT_FALSE(index.find(key(2)));
    EXPECT_TRUE(index.find(key(3)));
    EXPECT_TRUE(index.find(key(5)));
}

TEST(IdempotencyIndex, ForgetsAKeyOnlyAfterTheWholeWindow) {
    IdempotencyIndex index(10, milliseconds(100));
    index.add(key(1), {1}, at(1000));
    index.add(key(2), {2}, at(1050));
    index.expire(at(1100));
    EXPECT_TRUE(index.find(key(1)));
    index.expire(at(1101));
    EXPECT_FALSE(index.find(key(1)));
    EXPECT_TRUE(index.find(key(2)));
    // Forgotten, so it may be used for another request.
    index.add(key(1), {3}, at(1101));
    EXPECT_EQ(index.find(key(1))->value, 3U);
}

TEST(IdempotencyIndex, KnowsTheFirstEventItNeedsAndMovesItsTimes) {
    IdempotencyIndex index(10, milliseconds(100));
    EXPECT_FALSE(index.oldest());
    index.add(key(1), {7}, at(0));
    index.add(key(2), {9}, at(50));
    EXPECT_EQ(index.oldest()->value, 7U);
    index.shift(at(1000));
    index.expire(at(1100));
    EXPECT_EQ(index.oldest()->value, 7U);
    index.expire(at(1101));
    EXPECT_EQ(index.oldest()->value, 9U);
}

}  // namespace
}  // namespace standings::engine
