#include "net/timeout_wheel.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <random>

namespace standings::net {
namespace {

struct Node final : TimeoutNode {
    void on_timeout() override { ++fired; }
    int fired = 0;
};

TEST(TimeoutWheel, FiresOnceWithinOneStepAndNeverEarly) {
    TimeoutWheel wheel(10);
    Node node;
    wheel.set(node, 95, 0);
    wheel.advance(94);
    EXPECT_EQ(node.fired, 0);
    wheel.advance(105);
    EXPECT_EQ(node.fired, 1);
    wheel.advance(1000);
    EXPECT_EQ(node.fired, 1);
    EXPECT_FALSE(wheel.next_due());
}

TEST(TimeoutWheel, FollowsADeadlineThatMovesBothWays) {
    TimeoutWheel wheel(10);
    Node node;
    wheel.set(node, 100, 0);
    wheel.set(node, 500, 50);
    wheel.advance(200);
    EXPECT_EQ(node.fired, 0);
    wheel.set(node, 300, 200);
    wheel.advance(310);
    EXPECT_EQ(node.fired, 1);
}

TEST(TimeoutWheel, ForgetsARemovedNode) {
    TimeoutWheel wheel(10);
    Node node;
    wheel.set(node, 50, 0);
    wheel.remove(node);
    EXPECT_FALSE(wheel.next_due());
    wheel.advance(100);
    EXPECT_EQ(node.fired, 0);
}

TEST(TimeoutWheel, AgreesWithAMapOfDeadlines) {
    const char* const given = std::getenv("STANDINGS_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    constexpr Tick kStep = 7;
    TimeoutWheel wheel(kStep);
    std::vector<std::unique_ptr<Node>> nodes;
    for (int i = 0; i < 20; ++i) nodes.push_back(std::make_unique<Node>());
    std::map<std::size_t, Tick> model;
    Tick now = 0;
    for (int move = 0; move < 20'000; ++move) {
        const auto i = random() % nodes.size();
        switch (random() % 4) {
            case 0:
                wheel.remove(*nodes[i]);
                model.erase(i);
                break;
            case 1:
            case 2: {
                // Some lie beyond the ring.
                const Tick deadline =
                    now + static_cast<Tick>(random() % (random() % 8 ? 300 : 20'000));
                wheel.set(*nodes[i], deadline, now);
                model[i] = deadline;
                break;
            }
            default: {
                now += static_cast<Tick>(random() % (random() % 50 ? 40 : 30'000));
                wheel.advance(now);
                for (std::size_t j = 0; j < nodes.size(); ++j) {
                    const bool fired = std::exchange(nodes[j]->fired, 0) > 0;
                    const auto known = model.find(j);
                    if (fired) {
                        ASSERT_TRUE(known != model.end() && known->second <= now);
                        model.erase(known);
                    } else if (known != model.end()) {
                        ASSERT_GT(known->second, now - 2 * kStep);
                    }
                }
            }
        }
        ASSERT_EQ(wheel.next_due().has_value(), !model.empty());
    }
}

}  // namespace
}  // namespace standings::net
