// Taking submissions back, against a model that keeps nothing but the submissions that are left.
#include "engine/take_back.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "engine/engine_harness.h"
#include "engine/ledger_queries.h"

namespace standings::engine {
namespace {

using base::ErrorCode;
using base::Sequence;
using ledger::EventKind;
using ranking::Outcome;
using ranking::Rule;

class TakeBackWrite final : public EntryOperation {
  public:
    TakeBackWrite(Mailbox& home, std::shared_ptr<HostedBoard> hosted, TakeBackPlan plan)
        : EntryOperation(home, std::move(hosted)), plan_(std::move(plan)) {
        EntryChange change;
        change.board = &board();
        change.kind = EventKind::kTakenBack;
        change.player = plan_.player;
        change.take_back = &plan_.planned;
        changes.push_back(change);
    }
    void finished() override {}

  private:
    const TakeBackPlan plan_;
};

template <class Subject>
class TakeBack : public ::testing::Test {
  protected:
    void make_board(Rule rule) {
        ranking::Rules rules;
        rules.rule = rule;
        rig_.create("a", rules);
    }
    Sequence submit(std::string_view player, std::int64_t score,
                    base::Instant occurred_at = base::kNever) {
        auto operation = rig_.entries();
        operation->submit(player, score).occurred_at(occurred_at);
        auto done = rig_.run(std::move(operation));
        CHECK(!done->error);
        return done->outcomes[0].seq;
    }
    Sequence set(std::string_view player, std::int64_t score) {
        auto operation = rig_.entries();
        operation->add(EventKind::kSet, player, {{score}});
        return rig_.run(std::move(operation))->outcomes[0].seq;
    }
    void remove(std::string_view player) {
        auto operation = rig_.entries();
        operation->remove(player);
        rig_.run(std::move(operation));
    }
    void change_rule(Rule rule) {
        ledger::BoardConfig config = rig_.board()->record().config;
        config.rules.rule = rule;
        CHECK(!rig_.step_board(EventKind::kBoardChanged, "a", config)->error);
    }
    base::Result<TakeBackPlan> plan(const TakeBackTarget& target) {
        auto reader = rig_.ledger().open_reader().value();
        return plan_take_back(*reader, *rig_.board(), rig_.clock(), target);
    }
    // How many were taken back; the error's code as a negative number.
    int take_back(const TakeBackTarget& target) {
        auto planned = plan(target);
        if (!planned) return -static_cast<int>(planned.error().code);
        const auto count = static_cast<int>(planned->count);
        if (count == 0) return 0;
        auto done = write(*std::move(planned));
        CHECK(!done->error && !done->outcomes[0].stale);
        return count;
    }
    std::unique_ptr<TakeBackWrite> write(TakeBackPlan planned) {
        return rig_.run(
            std::make_unique<TakeBackWrite>(rig_.desk(), rig_.board(), std::move(planned)));
    }
    ranking::Entry entry(std::string_view player = "ann") {
        return rig_.board()->read([&](const HostedBoard::View& view) {
            return *view.board.entry(*view.board.find(player));
        });
    }
    History history(std::size_t points, std::string_view player = "ann") {
        auto reader = rig_.ledger().open_reader().value();
        return *read_history(*reader, *rig_.board(), rig_.clock(), player, points).value();
    }
    LedgerPage list(Sequence after = {}, std::size_t limit = 100) {
        auto reader = rig_.ledger().open_reader().value();
        return list_ledger(*reader, *rig_.board(), rig_.clock(), after, limit).value();
    }
    LedgerPage list_player(std::string_view player, Sequence before = {}, std::size_t limit = 100,
                           Sequence after = {}) {
        auto reader = rig_.ledger().open_reader().value();
        return list_player_ledger(*reader, *rig_.board(), rig_.clock(), player, after, before,
                                  limit)
            .value();
    }

    Rig<Subject> rig_;
};
TYPED_TEST_SUITE(TakeBack, Subjects);

constexpr int kTrimmed = -static_cast<int>(ErrorCode::kHistoryTrimmed);
constexpr int kNotFound = -static_cast<int>(ErrorCode::kSubmissionNotFound);

TYPED_TEST(TakeBack, TheBestOfTheOthersCountsAgainFromWhenItWasReached) {
    this->make_board(Rule::kBest);
    const Sequence first = this->submit("ann", 10);
    const auto first_at = this->rig_.clock().now();
    this->rig_.clock().move(std::chrono::seconds(5));
    const Sequence cheat = this->submit("ann", 999);
    this->submit("ann", 7);
    this->submit("bob", 10);
    EXPECT_EQ(this->take_back(cheat), 1);
    EXPECT_EQ(this->rig_.table(), "ann 1 10, bob 1 10");
    EXPECT_EQ(this->entry().reached_seq, first);
    EXPECT_EQ(this->entry().reached_at, first_at);
    EXPECT_EQ(this->entry().submissions, 2U);
    for (int start = 0; start < 2; ++start) {
        start == 0 ? this->rig_.crash_and_start() : this->rig_.stop_and_start();
        EXPECT_EQ(this->rig_.table(), "ann 1 10, bob 1 10");
        EXPECT_EQ(this->entry().reached_seq, first);
        EXPECT_EQ(this->entry().submissions, 2U);
    }
    EXPECT_EQ(this->take_back(cheat), 0) << "it is taken back already";
}

TYPED_TEST(TakeBack, TheLastOneLeavesNoEntry) {
    this->make_board(Rule::kBest);
    const Sequence only = this->submit("ann", 10);
    EXPECT_EQ(this->take_back(only), 1);
    EXPECT_EQ(this->rig_.table(), "");
    EXPECT_EQ(this->take_back(only), 0);
    EXPECT_EQ(this->take_back("ann"), 0);
    this->rig_.crash_and_start();
    EXPECT_EQ(this->rig_.table(), "");
    this->rig_.rest();  // the tombstone goes
    this->submit("bob", 3);
    EXPECT_EQ(this->take_back(only), 0);
    EXPECT_EQ(this->rig_.table(), "bob 1 3");
}

TYPED_TEST(TakeBack, ARemovalIsNotThatOfWhoeverComesAfterIt) {
    this->make_board(Rule::kBest);
    this->submit("ann", 10);
    this->remove("ann");
    this->rig_.rest();  // her slot is free
    this->take_back(this->submit("bob", 3));
    this->rig_.rest();
    const Sequence last = this->submit("eve", 1);
    for (const LedgerItem& item : this->list().items) {
        EXPECT_EQ(item.player, item.event.seq == last ? "eve" : "") << item.event.seq.value;
    }
}

TYPED_TEST(TakeBack, AllOfAPlayersLeaveWhatWasSet) {
    this->make_board(Rule::kSum);
    this->submit("ann", 10);
    const Sequence set = this->set("ann", 50);
    this->submit("ann", 1);
    this->submit("ann", 2);
    this->submit("bob", 1);
    EXPECT_EQ(this->take_back("ann"), 3);
    EXPECT_EQ(this->rig_.table(), "ann 1 50, bob 2 1");
    EXPECT_EQ(this->entry().reached_seq, set);
    EXPECT_EQ(this->entry().submissions, 0U);
    EXPECT_EQ(this->take_back("ann"), 0);
    EXPECT_EQ(this->take_back(set), kNotFound) << "what PUT has set is no submission";
}

TYPED_TEST(TakeBack, WhatCameBeforeARemovalAResetOrARuleStays) {
    this->make_board(Rule::kBest);
    const Sequence removed = this->submit("ann", 1);
    this->remove("ann");
    EXPECT_EQ(this->take_back(removed), kTrimmed);
    const Sequence old_rule = this->submit("ann", 2);
    EXPECT_EQ(this->take_back(removed), kTrimmed);
    this->change_rule(Rule::kSum);
    EXPECT_EQ(this->take_back(old_rule), kTrimmed);
    const Sequence added = this->submit("ann", 5);
    EXPECT_EQ(this->take_back(added), 1);
    EXPECT_EQ(this->rig_.table(), "ann 1 2");
    EXPECT_EQ(this->entry().reached_seq, old_rule);
    EXPECT_EQ(this->entry().submissions, 1U);
    EXPECT_EQ(this->take_back(Sequence{12345}), kNotFound);
    EXPECT_EQ(this->take_back(Sequence{1}), kNotFound) << "of the board itself";
    this->rig_.step_board(EventKind::kBoardReset);
    EXPECT_EQ(this->take_back(old_rule), kTrimmed);
    EXPECT_EQ(this->take_back(added), 0);
}

TYPED_TEST(TakeBack, APlanForAnEntryThatHasChangedIsNotCarriedOut) {
    this->make_board(Rule::kSum);
    const Sequence first = this->submit("ann", 1);
    auto planned = this->plan(first).value();
    this->submit("ann", 2);
    const auto late = this->write(planned);
    EXPECT_TRUE(late->outcomes[0].stale);
    EXPECT_EQ(this->rig_.table(), "ann 1 3");
    planned = this->plan(first).value();
    this->change_rule(Rule::kBest);
    EXPECT_TRUE(this->write(planned)->outcomes[0].stale);
    planned = this->plan("nobody").value();
    EXPECT_EQ(planned.count, 0U);
}

TYPED_TEST(TakeBack, WorksOnAClosedBoardAndKeepsNames) {
    this->make_board(Rule::kBest);
    auto named = this->rig_.entries();
    named->submit("ann", 5).name("Ann");
    this->rig_.run(std::move(named));
    const Sequence second = this->submit("ann", 6);
    this->rig_.step_board(EventKind::kBoardClosed);
    EXPECT_EQ(this->take_back(second), 1);
    EXPECT_EQ(this->rig_.name_of("ann"), "Ann");
    EXPECT_EQ(this->take_back("ann"), 1);
    EXPECT_EQ(this->rig_.table(), "");
}

TYPED_TEST(TakeBack, AReplayOfItsKeyCountsNothingAgain) {
    this->make_board(Rule::kSum);
    auto keyed = this->rig_.entries();
    keyed->submit("ann", 5).with_key(1, 1);
    const Sequence seq = this->rig_.run(std::move(keyed))->outcomes[0].seq;
    EXPECT_EQ(this->take_back(seq), 1);
    auto again = this->rig_.entries();
    again->submit("ann", 5).with_key(1, 1);
    const auto replayed = this->rig_.run(std::move(again));
    EXPECT_TRUE(replayed->replayed);
    EXPECT_EQ(replayed->outcomes[0].seq, seq);
    EXPECT_EQ(replayed->outcomes[0].outcome, Outcome::kCreated);
    EXPECT_EQ(this->rig_.table(), "");
}

TYPED_TEST(TakeBack, TheLedgerListsWhoseEventsTheyWereAndWhichCountNoMore) {
    this->make_board(Rule::kBest);
    this->rig_.create("other");
    const Sequence one = this->submit("ann", 1);
    this->rig_.submit("zoe", 9, "other");
    const Sequence two = this->submit("bob", 2);
    const Sequence three = this->submit("ann", 3);
    this->take_back(three);
    LedgerPage page = this->list();
    ASSERT_EQ(page.items.size(), 4U);
    EXPECT_FALSE(page.next);
    EXPECT_EQ(page.items[0].event.seq, one);
    EXPECT_EQ(page.items[1].player, "bob");
    EXPECT_TRUE(page.items[2].taken_back);
    EXPECT_FALSE(page.items[0].taken_back);
    EXPECT_EQ(page.items[3].event.kind, EventKind::kTakenBack);
    page = this->list({}, 2);
    ASSERT_EQ(page.items.size(), 2U);
    ASSERT_TRUE(page.next);
    EXPECT_EQ(*page.next, two);
    EXPECT_EQ(this->list(*page.next).items.size(), 2U);

    page = this->list_player("ann", {}, 2);
    ASSERT_EQ(page.items.size(), 2U);
    EXPECT_EQ(page.items[1].event.seq, three);
    EXPECT_TRUE(page.items[1].taken_back);
    page = this->list_player("ann", *page.next);
    ASSERT_EQ(page.items.size(), 1U);
    EXPECT_EQ(page.items[0].event.seq, one);
    EXPECT_TRUE(this->list_player("nobody").items.empty());

    // What came after the first one, also a page at a time.
    page = this->list_player("ann", {}, 100, one);
    ASSERT_EQ(page.items.size(), 2U);
    EXPECT_EQ(page.items[1].event.seq, three);
    page = this->list_player("ann", {}, 1, one);
    ASSERT_TRUE(page.next);
    page = this->list_player("ann", *page.next, 1, one);
    ASSERT_EQ(page.items.size(), 1U);
    EXPECT_EQ(page.items[0].event.seq, three);
    EXPECT_FALSE(page.next);
    EXPECT_TRUE(this->list_player("ann", {}, 100, this->list().board_seq).items.empty());
}

TYPED_TEST(TakeBack, AnEventIsNeverShownAsThatOfWhoHasItsSlotNow) {
    this->make_board(Rule::kBest);
    this->submit("ann", 1);
    this->remove("ann");
    // As long as the tombstone is there, it knows.
    const auto is_hers_or_nobodys = [](const LedgerItem& item) {
        return item.player == "ann" || item.player.empty();
    };
    EXPECT_TRUE(is_hers_or_nobodys(this->list().items[0]));
    this->submit("ann", 2);
    LedgerPage page = this->list();
    EXPECT_TRUE(is_hers_or_nobodys(page.items[0]));
    EXPECT_EQ(page.items[2].player, "ann");
    this->remove("ann");
    this->rig_.rest();
    this->submit("bob", 3);
    page = this->list();
    ASSERT_EQ(page.items.size(), 5U);
    EXPECT_EQ(page.items[0].player, "");
    EXPECT_EQ(page.items[2].player, "");
    EXPECT_EQ(page.items[4].player, "bob");
}

TYPED_TEST(TakeBack, HistoryIsTheScoresThatCountAndTheirRankToday) {
    this->make_board(Rule::kBest);
    this->submit("bob", 15);
    const Sequence first = this->submit("ann", 10);
    const Sequence cheat = this->submit("ann", 999);
    const Sequence second = this->submit("ann", 20);
    this->submit("ann", 1);
    this->take_back(cheat);
    const History history = this->history(100);
    EXPECT_TRUE(history.complete);
    ASSERT_EQ(history.points.size(), 2U);
    EXPECT_EQ(history.points[0].seq, first);
    EXPECT_EQ(history.points[0].rank_now.value, 2U);
    EXPECT_EQ(history.points[1].seq, second);
    EXPECT_EQ(history.points[1].rank_now.value, 1U);
    EXPECT_EQ(history.points[1].outcome, Outcome::kImproved);
    this->change_rule(Rule::kSum);
    this->submit("ann", 5);
    const History later = this->history(100);
    EXPECT_FALSE(later.complete);
    ASSERT_EQ(later.points.size(), 2U);
    EXPECT_EQ(later.points[0].scores.units[0], 20);
    EXPECT_EQ(later.points[1].scores.units[0], 25);
}

// What a reader sees of a ledger whose oldest events have gone.
class TrimmedReader final : public ledger::LedgerReader {
  public:
    TrimmedReader(std::unique_ptr<ledger::LedgerReader> inside, Sequence first)
        : inside_(std::move(inside)), first_(first) {}

    base::Result<std::optional<ledger::Event>> event(Sequence seq) override {
        if (seq < first_) return std::optional<ledger::Event>();
        return inside_->event(seq);
    }
    base::Result<std::vector<ledger::PlayerRecord>> details(
        std::span<const ledger::EntryKey> keys) override {
        return inside_->details(keys);
    }
    void set_deadline(ledger::Deadline deadline) override { inside_->set_deadline(deadline); }
    base::Result<ledger::RankingEvents> ranking_events(base::RankingId ranking, Sequence after,
                                                       std::size_t most) override {
        return inside_->ranking_events(ranking, after, most);
    }
    base::Result<std::vector<ledger::Event>> undoings(std::span<const ledger::EntryKey> keys,
                                                      Sequence after) override {
        return inside_->undoings(keys, after);
    }

    base::Result<ledger::SnapshotState> begin_snapshot() override {
        return inside_->begin_snapshot();
    }
    void end_snapshot() override { inside_->end_snapshot(); }
    base::Result<std::optional<ledger::BoardRecord>> board(base::BoardId id) override {
        return inside_->board(id);
    }
    base::Result<std::unique_ptr<ledger::Cursor<ledger::PlayerRecord>>> players(
        base::RankingId ranking) override {
        return inside_->players(ranking);
    }
    base::Result<std::unique_ptr<ledger::Cursor<ledger::EntryRecord>>> entries(
        base::RankingId ranking) override {
        return inside_->entries(ranking);
    }
    base::Result<std::unique_ptr<ledger::Cursor<ledger::Event>>> events(base::RankingId ranking,
                                                                        Sequence after) override {
        return inside_->events(ranking, after);
    }

  private:
    std::unique_ptr<ledger::LedgerReader> inside_;
    const Sequence first_;
};

TYPED_TEST(TakeBack, BehindTheEndOfTheLedgerOnlyWhatIsSureIsTakenBack) {
    this->make_board(Rule::kBest);
    this->submit("ann", 10);
    const Sequence lost = this->submit("ann", 30);
    const Sequence low = this->submit("ann", 20);
    const Sequence kept = this->submit("ann", 40);
    const Sequence high = this->submit("ann", 50);
    const auto plan = [&](Sequence first, const TakeBackTarget& target) {
        TrimmedReader reader(this->rig_.ledger().open_reader().value(), first);
        return plan_take_back(reader, *this->rig_.board(), this->rig_.clock(), target);
    };
    EXPECT_EQ(plan(low, lost).error().code, ErrorCode::kSubmissionNotFound);
    const auto known = plan(low, high).value();
    EXPECT_EQ(known.planned.what.entry->scores.units[0], 40);
    EXPECT_EQ(known.planned.what.entry->reached_seq, kept);
    EXPECT_EQ(known.planned.what.entry->submissions, 4U);
    EXPECT_EQ(plan(low, "ann").error().code, ErrorCode::kHistoryTrimmed)
        << "who reached 30 and when has gone";
    EXPECT_EQ(plan(high, high).error().code, ErrorCode::kHistoryTrimmed);
    // Where the score that is left was never left, its place is known after all.
    this->take_back(high);
    this->take_back(kept);
    EXPECT_EQ(this->entry().reached_seq, lost);
    const auto whole = plan(low, low).value();
    EXPECT_EQ(whole.planned.what.entry->reached_seq, lost);
    EXPECT_EQ(whole.planned.what.entry->submissions, 2U);
    // A take-back of what has gone says all about it that is needed.
    this->take_back(lost);
    EXPECT_EQ(plan(kept, "ann").error().code, ErrorCode::kHistoryTrimmed)
        << "20 still counts, and cannot be taken back any more";
    EXPECT_EQ(this->rig_.table(), "ann 1 20");
}

TYPED_TEST(TakeBack, WhatWasTakenBackDoesNotCountAgainWhenTheChainIsCut) {
    this->make_board(Rule::kSum);
    const Sequence first = this->submit("ann", 10);
    const Sequence second = this->submit("ann", 20);
    this->submit("ann", 30);
    EXPECT_EQ(this->take_back(first), 1);
    EXPECT_EQ(this->take_back(second), 1);
    const Sequence last = this->submit("ann", 5);
    EXPECT_EQ(this->rig_.table(), "ann 1 35");
    TrimmedReader reader(this->rig_.ledger().open_reader().value(), second);
    const auto plan = plan_take_back(reader, *this->rig_.board(), this->rig_.clock(), last);
    ASSERT_TRUE(plan) << plan.error().detail;
    EXPECT_EQ(plan->planned.what.entry->scores.units[0], 30);
}

// --- the pure parts --------------------------------------------------------------------------

// What the rule says about a bag of submissions, without any order of evaluation.
struct Left {
    std::int64_t score;
    std::size_t at;  // which of them reached it
};
std::optional<Left> naive(Rule rule, const std::vector<std::optional<std::int64_t>>& scores) {
    std::optional<Left> left;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (!scores[i]) continue;
        const std::int64_t score = *scores[i];
        if (!left) {
            left = {score, i};
        } else if (rule == Rule::kSum) {
            left = {left->score + score, score == 0 ? left->at : i};
        } else if (rule == Rule::kLast && score != left->score) {
            left = {score, i};
        } else if (rule == Rule::kBest && score > left->score) {
            left = {score, i};
        }
    }
    return left;
}

TEST(RemainingEntry, AgreesWithTheNaiveModel) {
    std::mt19937_64 random(20261121);
    for (int turn = 0; turn < 5000; ++turn) {
        ranking::Rules rules;
        rules.rule = static_cast<Rule>(random() % 4);
        EntryStory story;
        std::vector<std::optional<std::int64_t>> left;
        const std::size_t count = 1 + random() % 8;
        for (std::size_t i = 0; i < count; ++i) {
            const auto score = static_cast<std::int64_t>(random() % 7) - 2;
            story.events.push_back({{10 + i}, {100}, false, {{{score}}, base::kNever}});
            left.emplace_back(score);
        }
        const std::size_t from = random() % count;
        const bool onwards = random() % 2 == 0;
        for (std::size_t i = from; i < (onwards ? count : from + 1); ++i) left[i].reset();
        const auto entry =
            remaining_entry(rules, story, {.seq = {10 + from}, .onwards = onwards, .entry = {}})
                .value();
        const auto expected = naive(rules.rule, left);
        ASSERT_EQ(entry.has_value(), expected.has_value());
        if (!entry) continue;
        ASSERT_EQ(entry->scores.units[0], expected->score);
        ASSERT_EQ(entry->reached_seq.value, 10 + expected->at);
        ASSERT_EQ(entry->submissions, count - (onwards ? count - from : 1));
    }
}

TEST(RemainingEntry, OfATrimmedChainASumIsKnownAndOtherwiseWhatRestsOnKnownOnes) {
    EntryStory story;
    story.base = ranking::Entry{.scores = {{100}}, .submissions = 7};
    story.base_vague = true;
    story.base_last_seq = {9};
    story.events = {{{10}, {1}, false, {{{50}}, base::kNever}},
                    {{11}, {2}, false, {{{300}}, base::kNever}}};
    ranking::Rules rules;
    const auto without = [&](std::uint64_t seq) {
        return remaining_entry(rules, story, {.seq = {seq}, .onwards = false, .entry = {}});
    };
    EXPECT_EQ(without(10).value()->scores.units[0], 300);
    EXPECT_EQ(without(10).value()->submissions, 8U);
    EXPECT_EQ(without(11).error().code, ErrorCode::kHistoryTrimmed);
    rules.rule = Rule::kLast;
    EXPECT_EQ(without(10).error().code, ErrorCode::kHistoryTrimmed);
    rules.rule = Rule::kSum;
    EXPECT_EQ(without(11).value()->scores.units[0], 150);
    story.events.pop_back();
    EXPECT_EQ(without(10).value()->scores.units[0], 100);
    EXPECT_EQ(without(10).value()->reached_seq.value, 9U);
}

TEST(ThinOut, KeepsTheEndsAndTheTurns) {
    std::vector<HistoryPoint> points;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        HistoryPoint point;
        point.seq = {i + 1};
        point.at = {static_cast<std::int64_t>(i) * 1000};
        point.scores.units[0] = i < 500 ? 0 : 1000;
        points.push_back(point);
    }
    points[321].scores.units[0] = 9000;
    const auto kept = thin_out(points, 20);
    ASSERT_EQ(kept.size(), 20U);
    EXPECT_EQ(kept.front().seq.value, 1U);
    EXPECT_EQ(kept.back().seq.value, 1000U);
    bool peak = false;
    for (std::size_t i = 1; i < kept.size(); ++i) {
        EXPECT_LT(kept[i - 1].seq, kept[i].seq);
        peak |= kept[i].seq.value == 322;
    }
    EXPECT_TRUE(peak);
    EXPECT_EQ(thin_out(points, 2).size(), 2U);
    EXPECT_EQ(thin_out(points, 1000).size(), 1000U);
}

}  // namespace
}  // namespace standings::engine
