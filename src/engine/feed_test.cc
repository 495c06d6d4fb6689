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
    for (const SharedFeedItem& item : reading.items) all.push_back(item->event.seq.value);
    return all;
}

// As it was before any of these events.
ledger::BoardRecord record_of(std::string slug, std::uint64_t seq = 0) {
    ledger::BoardRecord record;
    record.slug = std::move(slug);
    record.seq = {seq};
    return record;
}

ledger::BoardRecord hidden_board() {
    auto record = record_of("hidden");
    record.config.visibility = ledger::Visibility::kPrivate;
    return record;
}

using Seqs = std::vector<std::uint64_t>;

// All that is known of a board whose own seq is 0.
FeedReading of_board(const Feed& feed, std::uint32_t ranking) {
    return feed.of_board({ranking}, {0});
}

TEST(Feed, KeepsTheLastSubmissionsOfABoardAndOfAllPublicOnes) {
    Feed feed;
    feed.start({4});
    {
        Feed::Adding adding(feed);
        adding.add(event(5, 1, 0), "ann", record_of("a", 4));
        adding.add(event(6, 2, 0), "bob", hidden_board());
        adding.add(event(7, 1, 0, EventKind::kDetails), "ann", record_of("a"));
        adding.add(event(8, 1, 1), "cleo", record_of("a"));
    }
    EXPECT_EQ(seqs(of_board(feed, 1)), (Seqs{5, 8}));
    EXPECT_EQ(seqs(of_board(feed, 2)), (Seqs{6}));
    EXPECT_EQ(seqs(feed.of_all()), (Seqs{5, 8}));
    EXPECT_EQ(of_board(feed, 1).known_since.value, 4U);
    EXPECT_EQ(feed.of_all().known_since.value, 4U);
    EXPECT_EQ(of_board(feed, 1).seq.value, 8U);
    EXPECT_EQ(feed.of_all().items[1]->player, "cleo");
    EXPECT_EQ(feed.of_all().items[1]->board, "a");
    feed.reach({9});
    EXPECT_EQ(feed.of_all().seq.value, 9U);
}

TEST(Feed, KnowsSinceWhenABoardWithoutSubmissionsHasNone) {
    Feed feed;
    feed.start({4});
    feed.reach({9});
    EXPECT_EQ(feed.of_board({1}, {3}).known_since.value, 3U) << "it stood still since then";
    EXPECT_EQ(feed.of_board({1}, {7}).known_since.value, 4U) << "it moved, but not by a submission";
    feed.begin_life({2}, {8});
    EXPECT_EQ(feed.of_board({2}, {9}).known_since.value, 8U);
    Feed::Adding(feed).add(event(9, 2, 0), "ann", record_of("a"));
    EXPECT_EQ(of_board(feed, 2).known_since.value, 8U);
    Feed::Adding(feed).add(event(10, 1, 0), "ann", record_of("b", 7));
    EXPECT_EQ(of_board(feed, 1).known_since.value, 4U);
}

TEST(Feed, ForgetsTheBoardsThatMovedLeastLately) {
    Feed feed;
    feed.start({0});
    constexpr std::uint32_t kBoards = Feed::kMostItems / Feed::kPerBoard;
    std::uint64_t seq = 0;
    for (std::uint32_t board = 1; board <= kBoards + 1; ++board) {
        for (std::size_t i = 0; i < Feed::kPerBoard; ++i) {
            Feed::Adding(feed).add(event(++seq, board, 0), "ann", record_of("a"));
        }
    }
    EXPECT_TRUE(of_board(feed, 1).items.empty());
    EXPECT_EQ(feed.of_board({1}, {100}).known_since.value, 100U);
    EXPECT_EQ(of_board(feed, 2).items.size(), Feed::kPerBoard);
    Feed::Adding(feed).add(event(++seq, 1, 0), "ann", record_of("a", 100));
    EXPECT_EQ(seqs(of_board(feed, 1)), (Seqs{seq}));
    EXPECT_EQ(of_board(feed, 1).known_since.value, 100U);
    // The second one goes now, and others behind it until it moves again.
    Feed::Adding(feed).add(event(++seq, 2, 0), "ann", record_of("a", 200));
    EXPECT_EQ(of_board(feed, 2).known_since.value, 200U) << "its own last one, not the last lost";
}

TEST(Feed, ForgetsBoardsWithoutItemsToo) {
    Feed feed;
    feed.start({0});
    for (std::uint32_t board = 1; board <= Feed::kMostBoards + 2; ++board) {
        feed.begin_life({board}, {board});
    }
    EXPECT_EQ(feed.of_board({1}, {100'000}).known_since.value, 2U)
        << "as of the last one forgotten";
    EXPECT_EQ(feed.of_board({3}, {100'000}).known_since.value, 3U);
}

TEST(Feed, KeepsNothingOfALifeThatHasEnded) {
    Feed feed;
    feed.start({0});
    constexpr std::uint32_t kLives = 2 * Feed::kMostItems / Feed::kPerBoard;
    std::uint64_t seq = 0;
    Feed::Adding(feed).add(event(++seq, 1, 0), "ann", record_of("a"));
    std::weak_ptr<const FeedItem> kept;
    for (std::uint32_t life = 2; life < kLives; ++life) {
        feed.begin_life({life}, {++seq});
        for (std::size_t i = 0; i < Feed::kPerBoard + 1; ++i) {
            Feed::Adding(feed).add(event(++seq, life, 0), "ann", hidden_board());
        }
        kept = of_board(feed, life).items.back();
        feed.end_life({life});
        EXPECT_TRUE(kept.expired());
        EXPECT_TRUE(of_board(feed, life).items.empty());
    }
    feed.end_life({kLives});  // it had none
    EXPECT_EQ(seqs(of_board(feed, 1)), Seqs{1}) << "ended lives push nothing out";
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
        Feed::Adding(feed).add(made, "p" + std::to_string(slot), record_of("a"));

        const FeedReading reading = of_board(feed, ranking);
        Seqs expected;
        for (const Event& one : items) expected.push_back(one.seq.value);
        ASSERT_EQ(seqs(reading), expected) << "at " << seq;
        ASSERT_EQ(reading.known_since.value, newest_lost[ranking]) << "at " << seq;
        for (const SharedFeedItem& item : reading.items) {
            ASSERT_EQ(item->player, "p" + std::to_string(item->event.slot.value));
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
    const FeedReading before = rig.engine().feed().of_all();
    ASSERT_EQ(before.items.size(), 3U);
    EXPECT_EQ(before.items[1]->player, "bob");
    rig.crash_and_start();
    const FeedReading after = rig.engine().feed().of_all();
    ASSERT_EQ(after.items.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(after.items[i]->event, before.items[i]->event);
        EXPECT_EQ(after.items[i]->player, before.items[i]->player);
        EXPECT_EQ(after.items[i]->board, "a");
    }
}

}  // namespace
}  // namespace standings::engine
