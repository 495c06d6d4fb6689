#include "ranking/rules.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace standings::ranking {
namespace {

constexpr base::Sequence kThen{5};
constexpr base::Sequence kSeq{9};
constexpr base::Instant kBefore{1000};
constexpr base::Instant kNow{2000};

Scores scores(std::initializer_list<std::int64_t> units) {
    Scores result;
    std::size_t i = 0;
    for (const std::int64_t unit : units) result.units[i++] = unit;
    return result;
}

Rules rules(Rule rule, const std::vector<Order>& orders = {Order::kDescending}) {
    Rules result{.rule = rule, .columns = {}};
    for (const Order order : orders) {
        result.columns.push_back(
            {.name = "c" + std::to_string(result.columns.size()), .order = order});
    }
    return result;
}

Entry entry(std::initializer_list<std::int64_t> units, base::Instant occurred_at = base::kNever) {
    return {.scores = scores(units),
            .reached_seq = kThen,
            .last_seq = base::Sequence{7},
            .reached_at = kBefore,
            .occurred_at = occurred_at,
            .submissions = 3,
            .has_details = true};
}

TEST(Compare, GoesColumnByColumnInTheirOrders) {
    const Rules both = rules(Rule::kBest, {Order::kDescending, Order::kAscending});
    EXPECT_LT(compare(both, scores({2, 9}), scores({1, 0})), 0);
    EXPECT_GT(compare(both, scores({1, 0}), scores({2, 9})), 0);
    EXPECT_LT(compare(both, scores({2, 3}), scores({2, 4})), 0);
    EXPECT_EQ(compare(both, scores({2, 3}), scores({2, 3})), 0);
    EXPECT_LT(compare(both, scores({-1, 0}), scores({-2, 0})), 0);
}

TEST(Compare, IgnoresColumnsThatTheBoardDoesNotHave) {
    EXPECT_EQ(compare(rules(Rule::kBest), scores({1, 5}), scores({1, 6})), 0);
}

struct Case {
    std::string name;
    Rules rules;
    Entry before;
    Scores submitted;
    Outcome outcome;
    Scores after;
    bool moves;  // reached_seq and reached_at
};

TEST(Evaluate, AppliesTheRule) {
    const auto down = Order::kDescending;
    const auto up = Order::kAscending;
    const std::vector<Case> cases = {
        {"best, better", rules(Rule::kBest), entry({10}), scores({11}), Outcome::kImproved,
         scores({11}), true},
        {"best, equal", rules(Rule::kBest), entry({10}), scores({10}), Outcome::kUnchanged,
         scores({10}), false},
        {"best, worse", rules(Rule::kBest), entry({10}), scores({9}), Outcome::kUnchanged,
         scores({10}), false},
        {"best ascending, smaller", rules(Rule::kBest, {up}), entry({10}), scores({9}),
         Outcome::kImproved, scores({9}), true},
        {"best ascending, larger", rules(Rule::kBest, {up}), entry({10}), scores({11}),
         Outcome::kUnchanged, scores({10}), false},
        {"best, the whole tuple: first column worse, second better", rules(Rule::kBest, {down, up}),
         entry({10, 5}), scores({9, 1}), Outcome::kUnchanged, scores({10, 5}), false},
        {"best, the whole tuple: first better, second worse", rules(Rule::kBest, {down, up}),
         entry({10, 5}), scores({11, 99}), Outcome::kImproved, scores({11, 99}), true},
        {"last, other", rules(Rule::kLast), entry({10}), scores({9}), Outcome::kReplaced,
         scores({9}), true},
        {"last, equal", rules(Rule::kLast), entry({10}), scores({10}), Outcome::kUnchanged,
         scores({10}), false},
        {"sum, some", rules(Rule::kSum), entry({10}), scores({-3}), Outcome::kAdded, scores({7}),
         true},
        {"sum, nothing", rules(Rule::kSum), entry({10}), scores({0}), Outcome::kAdded, scores({10}),
         false},
        {"sum, columns", rules(Rule::kSum, {down, down}), entry({10, 1}), scores({0, 2}),
         Outcome::kAdded, scores({10, 3}), true},
        {"first, better", rules(Rule::kFirst), entry({10}), scores({99}), Outcome::kUnchanged,
         scores({10}), false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto decision = evaluate(c.rules, c.before, {.scores = c.submitted}, kSeq, kNow);
        ASSERT_TRUE(decision);
        EXPECT_EQ(decision->outcome, c.outcome);
        EXPECT_EQ(decision->after.scores, c.after);
        EXPECT_EQ(decision->after.reached_seq, c.moves ? kSeq : kThen);
        EXPECT_EQ(decision->after.reached_at, c.moves ? kNow : kBefore);
        EXPECT_EQ(decision->after.last_seq, kSeq);
        EXPECT_EQ(decision->after.submissions, 4U);
        EXPECT_TRUE(decision->after.has_details);
    }
}

TEST(Evaluate, CreatesTheEntryOfANewPlayerWhateverTheRule) {
    for (const Rule rule : {Rule::kBest, Rule::kLast, Rule::kSum, Rule::kFirst}) {
        const auto decision =
            evaluate(rules(rule), std::nullopt,
                     {.scores = scores({-4}), .occurred_at = base::Instant{77}}, kSeq, kNow);
        ASSERT_TRUE(decision);
        EXPECT_EQ(decision->outcome, Outcome::kCreated);
        const Entry expected{.scores = scores({-4}),
                             .reached_seq = kSeq,
                             .last_seq = kSeq,
                             .reached_at = kNow,
                             .occurred_at = rule == Rule::kLast ? base::Instant{77} : base::kNever,
                             .submissions = 1};
        EXPECT_EQ(decision->after, expected);
    }
}

TEST(Evaluate, RefusesASumBeyondWhatAScoreHolds) {
    const Rules two = rules(Rule::kSum, {Order::kDescending, Order::kDescending});
    EXPECT_TRUE(evaluate(two, entry({1, kMaxUnits - 1}), {scores({0, 1})}, kSeq, kNow));
    EXPECT_TRUE(evaluate(two, entry({1, 1 - kMaxUnits}), {scores({0, -1})}, kSeq, kNow));
    for (const std::int64_t sign : {1, -1}) {
        const auto decision =
            evaluate(two, entry({1, sign * kMaxUnits}), {scores({0, sign})}, kSeq, kNow);
        ASSERT_FALSE(decision);
        EXPECT_EQ(decision.error().code, base::ErrorCode::kScoreOverflow);
    }
}

TEST(Evaluate, CountsSubmissionsUpToTheirLimit) {
    Entry before = entry({1});
    before.submissions = UINT32_MAX;
    const auto decision = evaluate(rules(Rule::kFirst), before, {scores({2})}, kSeq, kNow);
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision->after.submissions, UINT32_MAX);
}

struct LastCase {
    base::Instant before;
    base::Instant submitted;
    std::int64_t score;  // the entry has 10
    Outcome outcome;
    base::Instant after;
};

TEST(Evaluate, LastDoesNotLetALateMessageOverwriteANewerOne) {
    using base::Instant;
    using base::kNever;
    const std::vector<LastCase> cases = {
        {Instant{50}, Instant{49}, 11, Outcome::kUnchanged, Instant{50}},
        {Instant{50}, Instant{49}, 10, Outcome::kUnchanged, Instant{50}},
        {Instant{50}, Instant{50}, 11, Outcome::kReplaced, Instant{50}},
        {Instant{50}, Instant{51}, 11, Outcome::kReplaced, Instant{51}},
        // Confirmed at 60: a message of 55 that comes after it is late.
        {Instant{50}, Instant{60}, 10, Outcome::kUnchanged, Instant{60}},
        {Instant{50}, kNever, 10, Outcome::kUnchanged, Instant{50}},
        {Instant{50}, kNever, 11, Outcome::kReplaced, kNever},
        {kNever, Instant{49}, 11, Outcome::kReplaced, Instant{49}},
        {kNever, kNever, 11, Outcome::kReplaced, kNever},
        {Instant{-50}, Instant{-60}, 11, Outcome::kUnchanged, Instant{-50}},
    };
    for (const LastCase& c : cases) {
        SCOPED_TRACE(testing::Message() << c.before.ms << " " << c.submitted.ms << " " << c.score);
        const auto decision = evaluate(rules(Rule::kLast), entry({10}, c.before),
                                       {scores({c.score}), c.submitted}, kSeq, kNow);
        ASSERT_TRUE(decision);
        EXPECT_EQ(decision->outcome, c.outcome);
        EXPECT_EQ(decision->after.scores, scores({c.outcome == Outcome::kReplaced ? c.score : 10}));
        EXPECT_EQ(decision->after.occurred_at, c.after);
        EXPECT_EQ(decision->after.submissions, 4U);
    }
}

TEST(SetExactly, GoesPastTheRuleAndCountsAsNoSubmission) {
    const Decision fresh = set_exactly(std::nullopt, {scores({3})}, kSeq, kNow);
    EXPECT_EQ(fresh.outcome, Outcome::kCreated);
    EXPECT_EQ(
        fresh.after,
        (Entry{.scores = scores({3}), .reached_seq = kSeq, .last_seq = kSeq, .reached_at = kNow}));

    const Decision other = set_exactly(entry({10}), {scores({3})}, kSeq, kNow);
    EXPECT_EQ(other.outcome, Outcome::kReplaced);
    EXPECT_EQ(other.after, (Entry{.scores = scores({3}),
                                  .reached_seq = kSeq,
                                  .last_seq = kSeq,
                                  .reached_at = kNow,
                                  .submissions = 3,
                                  .has_details = true}));

    Entry same = entry({10}, base::Instant{50});
    const Decision equal = set_exactly(same, {scores({10})}, kSeq, kNow);
    EXPECT_EQ(equal.outcome, Outcome::kUnchanged);
    same.last_seq = kSeq;
    EXPECT_EQ(equal.after, same);
}

}  // namespace
}  // namespace standings::ranking
