#include "ranking/rank_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ranking/rank_key.h"
#include "ranking/test_seed.h"

namespace standings::ranking {
namespace {

template <std::size_t Columns>
Rules rules_of(const std::vector<Order>& orders) {
    Rules rules{.columns = std::vector<Column>(Columns)};
    for (std::size_t i = 0; i < Columns; ++i) rules.columns[i].order = orders[i];
    return rules;
}

TEST(RankKey, IsSmallerForWhoIsAhead) {
    const KeyMaker<1> down(rules_of<1>({Order::kDescending}));
    const KeyMaker<1> up(rules_of<1>({Order::kAscending}));
    EXPECT_TRUE(down.key({5}, 9, 9) < down.key({4}, 1, 1));
    EXPECT_TRUE(up.key({4}, 9, 9) < up.key({5}, 1, 1));
    EXPECT_TRUE(down.key({5}, 1, 9) < down.key({5}, 2, 1));
    EXPECT_TRUE(up.key({-1}, 1, 1) < up.key({0}, 1, 1));
    EXPECT_TRUE(down.key({5}, 1, 1) < down.key({5}, 1, 2));
}

TEST(RankKey, HoldsEveryBitOfItsParts) {
    const std::vector<std::int64_t> scores = {-kMaxUnits, 1 - kMaxUnits, -1,       0, 1,
                                              4096,       kMaxUnits - 1, kMaxUnits};
    std::vector<std::uint64_t> seqs = {0, base::kMaxSequence};
    for (unsigned bit = 0; bit < 48; ++bit) seqs.push_back(std::uint64_t{1} << bit);
    std::sort(seqs.begin(), seqs.end());
    const KeyMaker<2> keys(rules_of<2>({Order::kAscending, Order::kAscending}));
    RankKey<2> last{};
    for (const std::int64_t first : scores) {
        for (const std::int64_t second : scores) {
            const auto floor = keys.key({first, second}, 0, 0);
            for (const std::uint64_t seq : seqs) {
                for (const std::uint32_t slot : {0U, 1U, (1U << 26) - 1}) {
                    const auto key = keys.key({first, second}, seq, slot);
                    ASSERT_TRUE(last < key);
                    ASSERT_FALSE(key < last);
                    ASSERT_EQ(key.slot().value, slot);
                    ASSERT_TRUE(key.first_of_equals() == floor);
                    last = key;
                }
            }
        }
    }
}

// The tree beside a sorted vector.
template <std::size_t Columns, std::size_t LeafKeys, std::size_t Fanout>
class IndexHarness {
  public:
    using Key = RankKey<Columns>;

    void insert(const Key& key) {
        const auto at = std::lower_bound(model_.begin(), model_.end(), key);
        if (at != model_.end() && *at == key) return;
        model_.insert(at, key);
        index_.insert(key);
    }
    void erase_at(std::size_t position) {
        index_.erase(model_[position]);
        model_.erase(model_.begin() + static_cast<std::ptrdiff_t>(position));
    }
    void move(std::size_t position, const Key& to) {
        if (std::binary_search(model_.begin(), model_.end(), to)) return;
        index_.move(model_[position], to);
        model_.erase(model_.begin() + static_cast<std::ptrdiff_t>(position));
        model_.insert(std::lower_bound(model_.begin(), model_.end(), to), to);
    }

    const std::vector<Key>& model() const { return model_; }
    const RankIndex<Key, LeafKeys, Fanout>& index() const { return index_; }

    void compare_all() const {
        index_.check();
        ASSERT_EQ(index_.size(), model_.size());
        ASSERT_FALSE(index_.at(model_.size()));
        std::size_t better = 0;
        auto running = index_.at(0);
        for (std::size_t i = 0; i < model_.size(); ++i, ++running) {
            const Key& key = model_[i];
            if (i > 0 && !(model_[i - 1].first_of_equals() == key.first_of_equals())) better = i;
            const auto cursor = index_.at(i);
            ASSERT_TRUE(cursor && *cursor == key);
            ASSERT_TRUE(running && *running == key);
            ASSERT_EQ(index_.rank(key), i);
            ASSERT_EQ(index_.rank(key.first_of_equals()), better);
            ASSERT_EQ(index_.locate(key).position, i);
            ASSERT_EQ(index_.locate(key).better, better);
            ASSERT_EQ(index_.better_than(cursor, i), better);
        }
        ASSERT_FALSE(running);
    }

  private:
    RankIndex<Key, LeafKeys, Fanout> index_;
    std::vector<Key> model_;
};

template <class T>
struct Shape;
template <std::size_t C, std::size_t L, std::size_t F>
struct Shape<IndexHarness<C, L, F>> {
    static constexpr std::size_t kColumns = C;
    static constexpr std::size_t kLeafKeys = L;
};

template <class Harness>
class RankIndexTest : public testing::Test {};
using Shapes = testing::Types<IndexHarness<1, 4, 4>, IndexHarness<1, 5, 7>, IndexHarness<2, 8, 4>,
                              IndexHarness<4, 4, 6>, IndexHarness<1, 128, 64>>;
TYPED_TEST_SUITE(RankIndexTest, Shapes);

template <class Harness>
typename Harness::Key any_key(std::mt19937_64& random, std::uint64_t range, std::uint64_t seq) {
    typename Harness::Key key{};
    for (std::size_t i = 0; i < Shape<Harness>::kColumns; ++i) {
        key.words[i] = (random() % range + 1) << 10;
    }
    key.words[Shape<Harness>::kColumns] = seq << 26;
    return key;
}

template <class Harness>
void index_agrees_with_vector(std::uint64_t seed) {
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::uint64_t range = std::array{1U, 5U, 1'000'000U}[random() % 3];
    Harness both;
    std::uint64_t seq = 0;
    for (int phase = 0; phase < 6; ++phase) {
        const bool grows = phase % 2 == 0;
        for (int i = 0; i < 400; ++i) {
            const std::size_t dice = random() % 10;
            const std::size_t size = both.model().size();
            if (size > 0 && dice < 3) {
                both.move(random() % size, any_key<Harness>(random, range, ++seq));
            } else if (size > 0 && (dice < 9) != grows) {
                both.erase_at(random() % size);
            } else {
                both.insert(any_key<Harness>(random, range, ++seq));
            }
            if (i % 16 == 0) both.index().check();
        }
        ASSERT_NO_FATAL_FAILURE(both.compare_all());
    }
    while (!both.model().empty()) both.erase_at(random() % both.model().size());
    both.compare_all();
    EXPECT_EQ(both.index().memory_bytes(), 0U);
}

TYPED_TEST(RankIndexTest, AgreesWithASortedVectorWhileItGrowsAndShrinks) {
    run_seeds(10, index_agrees_with_vector<TypeParam>);
}

TYPED_TEST(RankIndexTest, TakesAndGivesKeysFromEitherEnd) {
    for (const bool ascending : {true, false}) {
        for (const bool erase_front : {true, false}) {
            TypeParam both;
            constexpr std::uint64_t kKeys = 1500;
            for (std::uint64_t i = 0; i < kKeys; ++i) {
                typename TypeParam::Key key{};
                key.words[0] = 1 << 10;
                key.words.back() = (ascending ? i : kKeys - i) << 26;
                both.insert(key);
            }
            ASSERT_NO_FATAL_FAILURE(both.compare_all());
            while (!both.model().empty()) {
                both.erase_at(erase_front ? 0 : both.model().size() - 1);
                if (both.model().size() % 64 == 0) both.index().check();
            }
            EXPECT_EQ(both.index().memory_bytes(), 0U);
        }
    }
}

TYPED_TEST(RankIndexTest, IsBuiltFromSortedKeysOfAnyNumber) {
    using Key = typename TypeParam::Key;
    std::mt19937_64 random(3);
    for (std::size_t size = 0; size < 1200; size += 1 + size / 9) {
        std::vector<Key> keys;
        for (std::size_t i = 0; i < size; ++i) keys.push_back(any_key<TypeParam>(random, 9, i));
        std::sort(keys.begin(), keys.end());
        RankIndex<Key, Shape<TypeParam>::kLeafKeys, 4> index;
        index.build(keys);
        index.check();
        ASSERT_EQ(index.size(), size);
        for (std::size_t i = 0; i < size; ++i) {
            ASSERT_EQ(index.rank(keys[i]), i);
            ASSERT_TRUE(*index.at(i) == keys[i]);
        }
        for (std::size_t i = 0; i < size; i += 2) index.erase(keys[i]);
        index.check();
        for (std::size_t i = 0; i < size; i += 2) index.insert(keys[i]);
        index.check();
    }
}

TEST(RankIndex, StaysDenseWhileEntriesMove) {
    RankIndex<RankKey<1>> index;
    std::mt19937_64 random(11);
    std::vector<RankKey<1>> keys;
    constexpr std::size_t kKeys = 60'000;
    for (std::uint64_t i = 0; i < kKeys; ++i) {
        keys.push_back({{(random() >> 20) << 10, i << 26}});
        index.insert(keys.back());
    }
    // Small trees carry a larger share of nodes that are half full.
    EXPECT_LT(index.memory_bytes(), kKeys * 22);
    for (std::size_t i = 0; i < 3 * kKeys; ++i) {
        RankKey<1>& key = keys[random() % kKeys];
        const RankKey<1> to{{(random() >> 20) << 10, (kKeys + i) << 26}};
        index.move(key, to);
        key = to;
    }
    index.check();
    EXPECT_LT(index.memory_bytes(), kKeys * 24);
}

TEST(RankIndex, IsSmallWhenItHoldsLittle) {
    RankIndex<RankKey<1>> index;
    for (std::uint64_t i = 0; i < 10; ++i) index.insert({{1024, i << 26}});
    EXPECT_LE(index.memory_bytes(), 16 + 16 * sizeof(RankKey<1>));
}

TEST(RankIndexDeathTest, StopsAtAKeyThatIsTwiceOrNotThere) {
    RankIndex<RankKey<1>> index;
    index.insert({{1024, 1}});
    EXPECT_DEATH(index.insert({{1024, 1}}), "CHECK failed");
    EXPECT_DEATH(index.erase({{1024, 2}}), "CHECK failed");
    EXPECT_DEATH(index.move({{2048, 1}}, {{1024, 5}}), "CHECK failed");
}

}  // namespace
}  // namespace standings::ranking
