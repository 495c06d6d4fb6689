#include "engine/feed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "engine/engine_harness.h"
#include "ledger/take_back.h"
#include "ledger/tiny_engine.h"

namespace standings::engine {
namespace {

using ledger::Event;
using ledger::EventKind;

Event event(std::uint64_t seq, std::uint32_t ranking, std::uint32_t slot,
            EventKind kind = EventKind::kSubmit) {
    Event made;
    made.seq = {seq};
    made.ranking = {ranking};
    made.slot = {slot};
    made.kind = kind;
    return made;
}

std::vector<std::uint64_t> seqs(const FeedReading& reading) {
    std::vector<std::uint64_t> all;
    for (const FeedItem& item : reading.items) all.push_back(item.event.seq.value);
    return all;
}

using Seqs = std::vector<std::uint64_t>;

TEST(Feed, KeepsTheLastSubmissionsOfABoardAndOfAllPublicOnes) {
    Feed feed;
    feed.start({4});
    {
        Feed::Adding adding(feed);
        adding.add(event(5, 1, 0), "ann", "a", true);
        adding.add(event(6, 2, 0), "bob", "hidden", false);
        adding.add(event(7, 1, 0, EventKind::kDetails), "ann", "a", true);
        adding.add(event(8, 1, 1), "cleo", "a", true);
    }
    EXPECT_EQ(seqs(feed.of_board({1}, 100)), (Seqs{5, 8}));
    EXPECT_EQ(seqs(feed.of_board({2}, 100)), (Seqs{6}));
    EXPECT_EQ(seqs(feed.of_all(100)), (Seqs{5, 8}));
    EXPECT_EQ(seqs(feed.of_board({1}, 1)), (Seqs{8}));
    EXPECT_EQ(feed.of_board({1}, 1).known_since.value, 5U);
    EXPECT_EQ(feed.of_board({1}, 100).known_since.value, 4U);
    EXPECT_EQ(feed.of_board({3}, 100).known_since.value, 4U) << "nothing came, and that is known";
    EXPECT_EQ(feed.seq().value, 8U);
    EXPECT_EQ(feed.of_all(100).items[1].player, "cleo");
    EXPECT_EQ(feed.of_all(100).items[1].board, "a");
}

TEST(Feed, ForgetsTheBoardsThatMovedLeastLately) {
    Feed feed;
    feed.start({0});
    constexpr std::uint32_t kBoards = Feed::kMostItems / Feed::kPerBoard;
    std::uint64_t seq = 0;
    for (std::uint32_t board = 1; board <= kBoards + 1; ++board) {
        for (std::size_t i = 0; i < Feed::kPerBoard; ++i) {
            Feed::Adding(feed).add(event(++seq, board, 0), "ann", "a", true);
        }
    }
    EXPECT_TRUE(feed.of_board({1}, 100).items.empty());
    EXPECT_EQ(feed.of_board({1}, 100).known_since.value, Feed::kPerBoard);
    EXPECT_EQ(feed.of_board({2}, 100).items.size(), Feed::kPerBoard);
    Feed::Adding(feed).add(event(++seq, 1, 0), "ann", "a", true);
    EXPECT_EQ(seqs(feed.of_board({1}, 100)), (Seqs{seq}));
    EXPECT_EQ(feed.of_board({1}, 100).known_since.value, Feed::kPerBoard);
}

// Against a list of everything.
TEST(FeedProperty, HoldsWhatItSays) {
    std::mt19937_64 random(ledger::test_seed());
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(ledger::test_seed()));
    Feed feed;
    feed.start({0});
    std::map<std::uint32_t, std::vector<Event>> model;
    std::map<std::uint32_t, std::uint64_t> newest_lost;
    for (std::uint64_t seq = 1; seq <= 5000; ++seq) {
        const auto ranking = static_cast<std::uint32_t>(1 + random() % 3);
        const auto slot = static_cast<std::uint32_t>(random() % 20);
        auto& items = model[ranking];
        Event made = event(seq, ranking, slot);
        if (random() % 20 == 0) {
            made.kind = EventKind::kRemove;
            std::erase_if(items, [&](const Event& one) { return one.slot.value == slot; });
        } else if (random() % 20 == 0 && !items.empty()) {
            const Event taken = items[random() % items.size()];
            made.slot = taken.slot;
            made.kind = EventKind::kTakenBack;
            const ledger::TakeBack back{
                .seq = taken.seq, .onwards = random() % 2 == 0, .entry = {}};
            ledger::put_take_back(made, back);
            std::erase_if(items, [&](const Event& one) {
                return one.slot == taken.slot &&
                       (one.seq == taken.seq || (back.onwards && one.seq > taken.seq));
            });
        } else {
            items.push_back(made);
            if (items.size() > Feed::kPerBoard) {
                newest_lost[ranking] = items.front().seq.value;
                items.erase(items.begin());
            }
        }
        Feed::Adding(feed).add(made, "p" + std::to_string(slot), "a", true);

        const std::size_t most = 1 + random() % Feed::kPerBoard;
        const FeedReading reading = feed.of_board({ranking}, most);
        Seqs expected;
        for (const Event& one : items) expected.push_back(one.seq.value);
        std::uint64_t known_since = newest_lost[ranking];
        if (expected.size() > most) {
            known_since = expected[expected.size() - most - 1];
            expected.erase(expected.begin(), expected.end() - static_cast<std::ptrdiff_t>(most));
        }
        ASSERT_EQ(seqs(reading), expected) << "at " << seq;
        ASSERT_EQ(reading.known_since.value, known_since) << "at " << seq;
        for (const FeedItem& item : reading.items) {
            ASSERT_EQ(item.player, "p" + std::to_string(item.event.slot.value));
        }
    }
}

template <class Subject>
class FeedOfEngine : public ::testing::Test {
  protected:
    Rig<Subject> rig_;
};
TYPED_TEST_SUITE(FeedOfEngine, Subjects);

TYPED_TEST(FeedOfEngine, IsThereAfterARestart) {
    auto& rig = this->rig_;
    rig.create("a", {});
    for (const auto* player : {"ann", "bob", "ann"}) rig.submit(player, 10);
    const FeedReading before = rig.engine().feed().of_all(100);
    ASSERT_EQ(before.items.size(), 3U);
    EXPECT_EQ(before.items[1].player, "bob");
    rig.crash_and_start();
    const FeedReading after = rig.engine().feed().of_all(100);
    ASSERT_EQ(after.items.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(after.items[i].event, before.items[i].event);
        EXPECT_EQ(after.items[i].player, before.items[i].player);
        EXPECT_EQ(after.items[i].board, "a");
    }
}

}  // namespace
}  // namespace standings::engine
