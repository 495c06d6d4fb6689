#include "ledger/rows.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "ledger/take_back.h"

namespace standings::ledger {
namespace {

Event full_event() {
    Event event;
    event.seq = {1234567};
    event.board = {3};
    event.ranking = {9};
    event.slot = {77};
    event.kind = EventKind::kSubmit;
    event.outcome = ranking::Outcome::kImproved;
    event.columns = 2;
    event.had_entry = true;
    event.rules_version = 4;
    event.input = {{10, -20}};
    event.previous = {{5, 6}};
    event.result = {{10, -20}};
    event.prev_seq = {1234000};
    event.at = {1'700'000'000'123};
    event.occurred_at = {1'700'000'000'000};
    event.key = {0x0123456789abcdefULL, 0xfedcba9876543210ULL};
    event.fingerprint = 99;
    return event;
}

// The sums are part of the file format: a change here makes every existing database unreadable.
TEST(Rows, ChecksumsAreThoseOfTheFormat) {
    EXPECT_EQ(checksum(full_event()), 2706978558U);
    EXPECT_EQ(base::chain_after(7, checksum(full_event())), 2551484252957226251U);
    EXPECT_EQ(checksum(EntryRecord{.key = {{1}, {2}},
                                   .removed = false,
                                   .columns = 1,
                                   .entry = {.scores = {{42}},
                                             .reached_seq = {5},
                                             .last_seq = {6},
                                             .reached_at = {7},
                                             .submissions = 8}}),
              2652563322U);
    EXPECT_EQ(checksum(PlayerRecord{{{1}, {2}}, "ada", {"Ada", {}}}), 1940988925U);
}

TEST(Rows, AnEventIsOnlyWhatItsKindKeeps) {
    Event event = full_event();
    event.input.units[3] = 1;
    EXPECT_EQ(canonical(event), full_event());

    event.kind = EventKind::kRemove;
    EXPECT_EQ(canonical(event).result, ranking::Scores{});
    EXPECT_EQ(canonical(event).previous, full_event().previous);
    event.had_entry = false;
    EXPECT_EQ(canonical(event).previous, ranking::Scores{});

    event.kind = EventKind::kBoardReset;
    EXPECT_EQ(canonical(event).slot, base::kNoSlot);
    EXPECT_EQ(canonical(canonical(event)), canonical(event));
}

TEST(Rows, ATombstoneKeepsItsLastSeqOnly) {
    EntryRecord record{.key = {{1}, {2}}, .removed = true, .columns = 3, .entry = {}};
    record.entry.scores.units[0] = 5;
    record.entry.last_seq = {8};
    record.entry.submissions = 3;
    const EntryRecord tombstone = canonical(record);
    EXPECT_EQ(tombstone.entry.last_seq.value, 8U);
    EXPECT_EQ(tombstone.entry.submissions, 0U);
    EXPECT_EQ(tombstone.columns, 1U);
}

TEST(Rows, EveryFieldOfAnEventIsUnderItsChecksum) {
    const std::uint32_t sum = checksum(full_event());
    const auto differs = [&](auto change) {
        Event event = full_event();
        change(event);
        return checksum(event) != sum;
    };
    EXPECT_TRUE(differs([](Event& e) { ++e.seq.value; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.board.value; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.ranking.value; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.slot.value; }));
    EXPECT_TRUE(differs([](Event& e) { e.kind = EventKind::kSet; }));
    EXPECT_TRUE(differs([](Event& e) { e.outcome = ranking::Outcome::kAdded; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.columns; }));
    EXPECT_TRUE(differs([](Event& e) { e.had_entry = false; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.rules_version; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.input.units[1]; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.previous.units[0]; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.result.units[0]; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.prev_seq.value; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.at.ms; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.occurred_at.ms; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.key.high; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.key.low; }));
    EXPECT_TRUE(differs([](Event& e) { ++e.fingerprint; }));
}

TEST(Rows, AbsentTextIsNotEmptyText) {
    EXPECT_NE(checksum(PlayerRecord{{{1}, {2}}, "ada", {"", {}}}),
              checksum(PlayerRecord{{{1}, {2}}, "ada", {{}, {}}}));
    EXPECT_NE(checksum(PlayerRecord{{{1}, {2}}, "ada", {"b", {}}}),
              checksum(PlayerRecord{{{1}, {2}}, "adab", {{}, {}}}));
}

TEST(TakeBackEvent, HoldsTheWholeEntryOrThatThereIsNone) {
    Event event;
    event.seq = {9};
    event.kind = EventKind::kTakenBack;
    event.had_entry = true;
    event.columns = 2;
    event.previous = {{5, 6}};
    TakeBack back{.seq = {4}, .onwards = true, .entry = ranking::Entry{}};
    back.entry->scores = {{-3, 1}};
    back.entry->reached_seq = {2};
    back.entry->last_seq = {9};
    back.entry->reached_at = {1'700'000'000'000};
    back.entry->occurred_at = {7};
    back.entry->submissions = 3;
    put_take_back(event, back);
    EXPECT_EQ(event.outcome, ranking::Outcome::kReplaced);
    EXPECT_EQ(canonical(event), event) << "all four numbers are kept with two columns";
    EXPECT_EQ(take_back_of(event).entry, back.entry);
    EXPECT_TRUE(takes_back(take_back_of(event), {4}));
    EXPECT_TRUE(takes_back(take_back_of(event), {5}));
    EXPECT_FALSE(takes_back(take_back_of(event), {3}));

    back = {.seq = {4}, .onwards = false, .entry = {}};
    put_take_back(event, back);
    EXPECT_TRUE(removes_entry(event));
    EXPECT_FALSE(take_back_of(event).entry);
    EXPECT_FALSE(takes_back(take_back_of(event), {5}));
    EXPECT_EQ(canonical(event), event);
}

}  // namespace
}  // namespace standings::ledger
