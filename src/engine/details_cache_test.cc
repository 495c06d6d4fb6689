#include "engine/details_cache.h"

#include <gtest/gtest.h>

namespace standings::engine {
namespace {

ledger::EntryKey key(std::uint32_t slot) {
    return {{1}, {slot}};
}

SharedDetails named(std::string name) {
    return share_details("p", {.name = std::move(name), .meta = {}});
}

constexpr std::size_t kRoomy = 1 << 20;

TEST(DetailsCache, GivesWhatWasPutLast) {
    DetailsCache cache(kRoomy);
    EXPECT_EQ(cache.find(key(1), "p"), nullptr);
    cache.put(key(1), named("Ann"));
    cache.put(key(1), named("Anna"));
    cache.put({{2}, {1}}, named("Bob"));
    EXPECT_EQ(cache.find(key(1), "p")->details.name, "Anna");
    EXPECT_EQ(cache.find({{2}, {1}}, "p")->details.name, "Bob");
}

TEST(DetailsCache, KeepsTheNameOfWhoHadASlotFromWhoHasItNow) {
    DetailsCache cache(kRoomy);
    cache.put(key(1), share_details("ann", {.name = "Ann", .meta = {}}));
    EXPECT_EQ(cache.find(key(1), "bob"), nullptr);
    cache.put(key(1), share_details("bob", {.name = "Bob", .meta = {}}));
    EXPECT_EQ(cache.find(key(1), "ann"), nullptr);
    EXPECT_EQ(cache.find(key(1), "bob")->details.name, "Bob");
}

TEST(DetailsCache, TakesAFillWhenNothingWasWrittenMeanwhile) {
    DetailsCache cache(kRoomy);
    const auto ticket = cache.ticket(key(1));
    cache.fill(key(1), named("Ann"), ticket);
    ASSERT_NE(cache.find(key(1), "p"), nullptr);
    EXPECT_EQ(cache.find(key(1), "p")->details.name, "Ann");
}

TEST(DetailsCache, DropsAFillThatMayBeOlderThanAWrite) {
    DetailsCache cache(kRoomy);
    const auto ticket = cache.ticket(key(1));
    cache.put(key(1), named("new"));
    cache.fill(key(1), named("old"), ticket);
    EXPECT_EQ(cache.find(key(1), "p")->details.name, "new");
}

TEST(DetailsCache, DropsALateFillAlsoWhenTheWrittenOneWasEvicted) {
    DetailsCache cache(16 * 480);
    const auto ticket = cache.ticket(key(0));
    cache.put(key(0), named("new"));
    for (std::uint32_t i = 1; i < 10; ++i) cache.put(key(16 * i), named("other"));
    ASSERT_EQ(cache.find(key(0), "p"), nullptr);
    cache.fill(key(0), named("old"), ticket);
    EXPECT_EQ(cache.find(key(0), "p"), nullptr);
}

TEST(DetailsCache, StaysBelowItsBound) {
    DetailsCache cache(16 * 1000);
    for (std::uint32_t i = 0; i < 1000; ++i) {
        cache.put(key(i), named(std::string(i % 50, 'x')));
        if (i % 3 == 0) cache.find(key(i / 2), "p");
        EXPECT_LE(cache.bytes(), 16U * 1000U);
    }
    EXPECT_GT(cache.bytes(), 16U * 500U) << "and is filled";
}

TEST(DetailsCache, KeepsWhatWasReadSinceTheLastSweep) {
    DetailsCache cache(16 * 832);  // four short names a shard
    for (std::uint32_t i = 0; i < 4; ++i) cache.put(key(16 * i), named("n"));
    ASSERT_NE(cache.find(key(0), "p"), nullptr);
    cache.put(key(16 * 4), named("n"));
    EXPECT_NE(cache.find(key(0), "p"), nullptr) << "it was read";
    EXPECT_EQ(cache.find(key(16), "p"), nullptr) << "the oldest that was not";
}

TEST(DetailsCache, ForgetsRankingsThatHaveEnded) {
    DetailsCache cache(kRoomy);
    for (std::uint32_t slot = 0; slot < 100; ++slot) {
        for (const std::uint32_t ranking : {1U, 2U, 3U}) {
            cache.put({{ranking}, {slot}}, named("n"));
        }
    }
    const std::size_t all = cache.bytes();
    const auto ticket = cache.ticket({{3}, {1}});
    cache.forget({{1}, {3}});
    EXPECT_EQ(cache.bytes(), all / 3);
    EXPECT_EQ(cache.find({{1}, {1}}, "p"), nullptr);
    EXPECT_NE(cache.find({{2}, {1}}, "p"), nullptr);
    cache.fill({{3}, {1}}, named("late"), ticket);
    EXPECT_EQ(cache.find({{3}, {1}}, "p"), nullptr) << "it was read before";
}

TEST(DetailsCache, StaysBelowItsBoundAfterRankingsHaveEnded) {
    DetailsCache cache(16 * 1000);
    for (std::uint32_t ranking = 1; ranking < 200; ++ranking) {
        for (std::uint32_t slot = 0; slot < 30; ++slot) {
            cache.put({{ranking}, {slot}}, named("n"));
            EXPECT_LE(cache.bytes(), 16U * 1000U);
        }
        if (ranking % 3 != 0) cache.forget({{ranking}});
    }
    EXPECT_GT(cache.bytes(), 0U);
}

TEST(DetailsCache, CountsAReplacedOneOnce) {
    DetailsCache cache(kRoomy);
    cache.put(key(1), named("Ann"));
    const std::size_t once = cache.bytes();
    for (int i = 0; i < 100; ++i) cache.put(key(1), named("Bob"));
    EXPECT_EQ(cache.bytes(), once);
}

}  // namespace
}  // namespace standings::engine
