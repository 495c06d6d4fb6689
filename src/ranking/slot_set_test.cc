#include "ranking/slot_set.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "ranking/test_seed.h"

namespace standings::ranking {
namespace {

// A set with what a table would know: the hash of each slot.
class Fixture {
  public:
    void insert(std::uint32_t slot, std::uint64_t hash) {
        hashes_[slot] = hash;
        set_.insert(hash, slot,
                    [this](const std::uint32_t* slots, std::size_t count, std::uint64_t* out) {
                        for (std::size_t i = 0; i < count; ++i) out[i] = hashes_.at(slots[i]);
                    });
    }
    void erase(std::uint32_t slot) {
        set_.erase(hashes_.at(slot), slot);
        hashes_.erase(slot);
    }
    bool finds(std::uint32_t slot, std::uint64_t hash) const {
        return set_.find(hash, [&](std::uint32_t other) { return other == slot; }).has_value();
    }
    void check() const {
        ASSERT_EQ(set_.size(), hashes_.size());
        for (const auto& [slot, hash] : hashes_) ASSERT_TRUE(finds(slot, hash)) << slot;
        std::set<std::uint32_t> seen;
        set_.for_each([&](std::uint32_t slot) { seen.insert(slot); });
        ASSERT_EQ(seen.size(), hashes_.size());
        for (const std::uint32_t slot : seen) ASSERT_TRUE(hashes_.contains(slot));
    }
    bool holds(std::uint32_t slot) const { return hashes_.contains(slot); }
    const SlotSet& set() const { return set_; }
    SlotSet& set() { return set_; }

  private:
    SlotSet set_;
    std::map<std::uint32_t, std::uint64_t> hashes_;
};

void agrees_with_a_map(std::uint64_t seed, std::uint64_t mask) {
    std::mt19937_64 random(seed);
    Fixture fixture;
    std::vector<std::uint64_t> hashes;
    for (std::uint32_t slot = 0; slot < 400; ++slot) hashes.push_back(random() & mask);
    for (int step = 0; step < 8'000; ++step) {
        // For a while it grows, then it shrinks.
        const bool grows = step / 1000 % 2 == 0;
        const auto slot = static_cast<std::uint32_t>(random() % 400);
        const bool holds = fixture.holds(slot);
        ASSERT_EQ(fixture.finds(slot, hashes[slot]), holds) << "seed " << seed;
        if (holds != grows || random() % 8 == 0) {
            if (holds) {
                fixture.erase(slot);
            } else {
                fixture.insert(slot, hashes[slot]);
            }
        }
        if (step % 500 == 0) {
            ASSERT_NO_FATAL_FAILURE(fixture.check()) << "seed " << seed;
        }
    }
}

TEST(SlotSet, FindsNothingWhileItIsEmpty) {
    const Fixture fixture;
    EXPECT_FALSE(fixture.finds(0, 0));
    EXPECT_EQ(fixture.set().memory_bytes(), 0U);
}

// With few different hashes lines run over, and slots share a home, a tag, or both.
TEST(SlotSet, AgreesWithAMapWhateverTheHashesShare) {
    run_seeds(3, [](std::uint64_t seed) {
        for (const std::uint64_t mask : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{3} << 48,
                                         std::uint64_t{1023}, UINT64_MAX}) {
            agrees_with_a_map(seed, mask);
        }
    });
}

TEST(SlotSet, HoldsTheLargestSlot) {
    Fixture fixture;
    for (std::uint32_t i = 0; i < 100; ++i) fixture.insert((1U << 26) - 1 - i, UINT64_MAX - i);
    fixture.check();
}

TEST(SlotSet, IsNotBuiltAnewForEveryFewThatComeAndGo) {
    std::mt19937_64 random(4);
    SlotSet set;
    std::vector<std::uint64_t> hashes;
    std::size_t asked = 0;
    const auto hash_all = [&](const std::uint32_t* slots, std::size_t count, std::uint64_t* out) {
        asked += count;
        for (std::size_t i = 0; i < count; ++i) out[i] = hashes[slots[i]];
    };
    const auto insert = [&](std::uint32_t slot) { set.insert(hashes[slot], slot, hash_all); };
    constexpr std::uint32_t kSlots = 1638;  // as many as 128 lines take
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
        hashes.push_back(random());
        insert(slot);
    }
    const std::size_t before = set.memory_bytes();
    asked = 0;
    for (int i = 0; i < 100'000; ++i) {
        const auto slot = static_cast<std::uint32_t>(random() % kSlots);
        set.erase(hashes[slot], slot);
        hashes[slot] = random();
        insert(slot);
    }
    EXPECT_LE(asked, 100'000U);
    EXPECT_LE(set.memory_bytes(), before * 2);
}

TEST(SlotSet, KeepsItsRoomWhileItIsFilledAsFarAsWasReserved) {
    std::mt19937_64 random(6);
    Fixture fixture;
    fixture.set().reserve(10'000);
    const std::size_t before = fixture.set().memory_bytes();
    for (std::uint32_t slot = 0; slot < 10'000; ++slot) fixture.insert(slot, random());
    EXPECT_EQ(fixture.set().memory_bytes(), before);
    fixture.check();
}

TEST(SlotSetDeathTest, StopsAtASlotThatIsNotThere) {
    SlotSet set;
    const auto none = [](const std::uint32_t*, std::size_t, std::uint64_t*) {};
    EXPECT_DEATH(set.erase(1, 1), "CHECK failed");
    set.insert(1, 1, none);
    EXPECT_DEATH(set.erase(1, 2), "CHECK failed");
}

}  // namespace
}  // namespace standings::ranking
