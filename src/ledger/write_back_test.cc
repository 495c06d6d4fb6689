#include "ledger/write_back.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>

#include "ledger/tiny_engine.h"

namespace standings::ledger {
namespace {

EntryKey key(std::uint32_t ranking, std::uint32_t slot) {
    return {{ranking}, {slot}};
}

TEST(WriteBack, GivesDirtyEntriesInKeyOrder) {
    WriteBack back({0});
    for (const EntryKey dirty : {key(2, 7), key(1, 5000), key(2, 0), key(1, 3), key(1, 4)}) {
        back.mark(dirty);
        back.mark(dirty);
    }
    EXPECT_EQ(back.dirty(), 5U);
    WriteBackSlice slice;
    back.plan(3, {10}, slice);
    EXPECT_EQ(slice.keys, (std::vector{key(1, 3), key(1, 4), key(1, 5000)}));
    EXPECT_FALSE(slice.fold_mark);
    back.committed(slice);
    EXPECT_EQ(back.dirty(), 2U);
    back.plan(3, {12}, slice);
    EXPECT_EQ(slice.keys, (std::vector{key(2, 0), key(2, 7)}));
    EXPECT_EQ(slice.fold_mark, base::Sequence{12});  // nothing is left
    back.committed(slice);
    EXPECT_EQ(back.fold_mark(), base::Sequence{12});
    EXPECT_EQ(back.dirty(), 0U);
}

TEST(WriteBack, MovesTheFoldMarkToWhereTheWrapBegan) {
    WriteBack back({0});
    WriteBackSlice slice;
    for (std::uint32_t slot = 0; slot < 10; ++slot) back.mark(key(1, slot));
    back.plan(6, {100}, slice);  // the wrap begins with 100 applied
    back.committed(slice);
    back.mark(key(1, 2));  // dirty again behind the cursor, by event 101
    back.plan(6, {101}, slice);
    EXPECT_EQ(slice.keys.size(), 4U);
    EXPECT_EQ(slice.fold_mark, base::Sequence{100});
    back.committed(slice);
    back.plan(6, {101}, slice);
    EXPECT_EQ(slice.keys, (std::vector{key(1, 2)}));
    EXPECT_EQ(slice.fold_mark, base::Sequence{101});
}

TEST(WriteBack, AMarkMadeBetweenPlanAndCommitStays) {
    WriteBack back({0});
    WriteBackSlice slice;
    back.mark(key(1, 1));
    back.plan(5, {1}, slice);
    back.mark(key(1, 1));
    back.committed(slice);
    EXPECT_EQ(back.dirty(), 1U);
}

TEST(WriteBack, ASliceThatNeverCommittedIsPlannedAgain) {
    WriteBack back({0});
    WriteBackSlice slice;
    for (std::uint32_t slot = 0; slot < 4; ++slot) back.mark(key(1, slot));
    back.plan(2, {4}, slice);
    back.committed(slice);
    back.plan(2, {4}, slice);
    EXPECT_EQ(back.dirty(), 2U);
    WriteBackSlice again;
    back.plan(2, {5}, again);
    EXPECT_EQ(again.keys, slice.keys);
    EXPECT_EQ(again.fold_mark, base::Sequence{5});
    EXPECT_EQ(back.fold_mark(), base::Sequence{0});
}

TEST(WriteBack, ForgetsARankingWhole) {
    WriteBack back({0});
    WriteBackSlice slice;
    for (std::uint32_t slot = 0; slot < 3000; slot += 7) back.mark(key(2, slot));
    back.mark(key(1, 1));
    back.mark(key(3, 1));
    back.plan(10, {9}, slice);
    back.forget({2});
    EXPECT_EQ(back.dirty(), 2U);
    back.plan(10, {9}, slice);
    EXPECT_EQ(slice.keys, (std::vector{key(1, 1), key(3, 1)}));
}

TEST(WriteBack, IsWantedByCountByAgeOrByIdleness) {
    WriteBack back({100}, {.dirty = 10, .unfolded = 50});
    EXPECT_FALSE(back.wanted({100}, 0, true));
    for (std::uint32_t slot = 0; slot < 11; ++slot) back.mark(key(1, slot));
    EXPECT_TRUE(back.wanted({111}, 0, false));
    EXPECT_FALSE(back.wanted({111}, 1000, false));  // a fifth of the players is more
    EXPECT_TRUE(back.wanted({111}, 1000, true));
    EXPECT_TRUE(back.wanted({151}, 1000, false));
}

TEST(WriteBack, OneHundredThousandSmallRankingsAndTenMillionSlotsAreCheap) {
    WriteBack back({0});
    WriteBackSlice slice;
    for (std::uint32_t ranking = 1; ranking <= 100'000; ++ranking) back.mark(key(ranking, 3));
    for (std::uint32_t slot = 0; slot < 10'000'000; slot += 5) back.mark(key(7, slot));
    std::size_t rows = 0;
    std::size_t slices = 0;
    while (back.dirty() > 0) {
        back.plan(1000, {1}, slice);
        rows += slice.keys.size();
        back.committed(slice);
        ++slices;
    }
    EXPECT_EQ(rows, 2'100'000U);
    EXPECT_LE(slices, 2'102U);
}

// Entries as they are stored, and what a start would make of them: the promise itself, against
// plain maps, with commits that fail and rankings that go.
TEST(WriteBack, StoredEntriesAndReplayGiveWhatMemoryHolds) {
    const std::uint64_t seed = test_seed();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto pick = [&](std::uint64_t below) { return random() % below; };

    WriteBack back({0});
    std::map<EntryKey, std::uint64_t> memory;  // the entry's last event
    std::map<EntryKey, std::uint64_t> stored;
    std::vector<EntryKey> events = {{}};  // by seq
    std::uint64_t fold_mark = 0;
    WriteBackSlice slice;
    for (int step = 0; step < 20'000; ++step) {
        const std::uint64_t applied = events.size() - 1;
        const bool writes = pick(3) != 0;
        if (writes) back.plan(1 + pick(6), {applied}, slice);
        auto rows = memory;  // as they are before the batch

        std::vector<EntryKey> batch;
        for (std::uint64_t n = pick(4); n > 0; --n) {
            batch.push_back(key(1 + static_cast<std::uint32_t>(pick(3)),
                                static_cast<std::uint32_t>(pick(3) * 1020 + pick(10))));
        }
        if (pick(8) == 0) continue;  // the transaction failed
        for (const EntryKey& changed : batch) {
            events.push_back(changed);
            memory[changed] = events.size() - 1;
        }
        if (writes && pick(2) == 0) {
            for (const EntryKey& changed : batch) back.mark(changed);
            batch.clear();
        }
        if (writes) {
            for (const EntryKey& row : slice.keys) stored[row] = rows.at(row);
            if (slice.fold_mark) fold_mark = slice.fold_mark->value;
            back.committed(slice);
        }
        for (const EntryKey& changed : batch) back.mark(changed);
        ASSERT_EQ(back.fold_mark().value, fold_mark);

        auto replayed = stored;
        for (std::uint64_t seq = fold_mark + 1; seq < events.size(); ++seq) {
            if (seq > replayed[events[seq]]) replayed[events[seq]] = seq;
        }
        if (step % 50 == 0) {
            ASSERT_EQ(replayed, memory) << "step " << step;
        }
        // Keep the replay short enough to be checked often.
        if (step % 500 == 0) {
            back.plan(10'000, {events.size() - 1}, slice);
            for (const EntryKey& row : slice.keys) stored[row] = memory.at(row);
            if (slice.fold_mark) fold_mark = slice.fold_mark->value;
            back.committed(slice);
        }
    }
}

}  // namespace
}  // namespace standings::ledger
