#include "engine/position_waits.h"

#include <gtest/gtest.h>

#include "engine/engine_harness.h"

namespace standings::engine {
namespace {

std::unique_ptr<Operation> read(Desk& desk) {
    return std::make_unique<StreamStep>(desk);
}

TEST(PositionWaits, DeliversAtOnceWhatIsReached) {
    Desk desk;
    PositionWaits waits(10);
    waits.on_applied({5});
    auto operation = read(desk);
    EXPECT_NE(waits.add({5}, operation), PositionWaits::kNone);
    EXPECT_EQ(desk.count(), 1U);
    EXPECT_EQ(waits.size(), 0U);
}

TEST(PositionWaits, DeliversWhenThePositionIsReached) {
    Desk desk;
    PositionWaits waits(10);
    for (const std::uint64_t seq : {3U, 2U, 7U}) {
        auto operation = read(desk);
        waits.add({seq}, operation);
    }
    waits.on_applied({1});
    EXPECT_EQ(desk.count(), 0U);
    waits.on_applied({3});
    EXPECT_EQ(desk.count(), 2U);
    EXPECT_EQ(waits.size(), 1U);
    waits.on_applied({100});
    EXPECT_EQ(desk.count(), 3U);
}

TEST(PositionWaits, GivesACancelledOneBackOnce) {
    Desk desk;
    PositionWaits waits(10);
    auto first = read(desk);
    auto second = read(desk);
    const auto id = waits.add({4}, first);
    waits.add({4}, second);
    EXPECT_EQ(waits.cancel({5}, id), nullptr);
    EXPECT_NE(waits.cancel({4}, id), nullptr);
    EXPECT_EQ(waits.cancel({4}, id), nullptr);
    waits.on_applied({4});
    EXPECT_EQ(desk.count(), 1U) << "the other one";
}

TEST(PositionWaits, RefusesBeyondItsBoundAndLeavesTheOperation) {
    Desk desk;
    PositionWaits waits(2);
    for (int i = 0; i < 2; ++i) {
        auto operation = read(desk);
        EXPECT_NE(waits.add({9}, operation), PositionWaits::kNone);
    }
    auto operation = read(desk);
    EXPECT_EQ(waits.add({9}, operation), PositionWaits::kNone);
    EXPECT_NE(operation, nullptr);
    waits.on_applied({9});
    EXPECT_NE(waits.add({10}, operation), PositionWaits::kNone);
}

}  // namespace
}  // namespace standings::engine
