#include "ranking/rules.h"

#include <limits>

#include "base/check.h"

namespace standings::ranking {
namespace {

Entry created(const Submission& submission, base::Sequence seq, base::Instant now) {
    return {.scores = submission.scores, .reached_seq = seq, .last_seq = seq, .reached_at = now};
}

// The entry as it was, with one more event behind it.
Entry touched(const Entry& before, base::Sequence seq) {
    Entry after = before;
    after.last_seq = seq;
    return after;
}

void set_scores(Entry& entry, const Scores& scores, base::Sequence seq, base::Instant now) {
    if (entry.scores == scores) return;
    entry.scores = scores;
    entry.reached_seq = seq;
    entry.reached_at = now;
}

base::Result<Scores> sum(const Rules& rules, const Scores& a, const Scores& b) {
    Scores result;
    for (std::size_t i = 0; i < rules.columns.size(); ++i) {
        // Both are within +-kMaxUnits, far from the end of an int64.
        const std::int64_t units = a.units[i] + b.units[i];
        if (units > kMaxUnits || units < -kMaxUnits) {
            return base::Error{base::ErrorCode::kScoreOverflow,
                               "The sum of column \"" + rules.columns[i].name +
                                   "\" would leave what a score can hold."};
        }
        result.units[i] = units;
    }
    return result;
}

// Whether `submission` happened before what the entry holds, as far as both say.
bool is_late(const Entry& before, const Submission& submission) {
    return before.occurred_at != base::kNever && submission.occurred_at != base::kNever &&
           submission.occurred_at < before.occurred_at;
}

Outcome apply_last(Entry& entry, const Submission& submission, base::Sequence seq,
                   base::Instant now) {
    if (is_late(entry, submission)) return Outcome::kUnchanged;
    if (entry.scores == submission.scores) {
        // A confirmation is news all the same: what happened before it stays late.
        if (submission.occurred_at != base::kNever) entry.occurred_at = submission.occurred_at;
        return Outcome::kUnchanged;
    }
    set_scores(entry, submission.scores, seq, now);
    entry.occurred_at = submission.occurred_at;
    return Outcome::kReplaced;
}

}  // namespace

int compare(const Rules& rules, const Scores& a, const Scores& b) {
    for (std::size_t i = 0; i < rules.columns.size(); ++i) {
        if (a.units[i] == b.units[i]) continue;
        const bool smaller = a.units[i] < b.units[i];
        return smaller == (rules.columns[i].order == Order::kAscending) ? -1 : 1;
    }
    return 0;
}

base::Result<Decision> evaluate(const Rules& rules, const std::optional<Entry>& before,
                                const Submission& submission, base::Sequence seq,
                                base::Instant now) {
    if (!before) {
        Entry after = created(submission, seq, now);
        after.submissions = 1;
        if (rules.rule == Rule::kLast) after.occurred_at = submission.occurred_at;
        return Decision{Outcome::kCreated, after};
    }

    Entry after = touched(*before, seq);
    if (after.submissions < std::numeric_limits<std::uint32_t>::max()) ++after.submissions;
    switch (rules.rule) {
        case Rule::kBest:
            if (compare(rules, submission.scores, before->scores) >= 0) break;
            set_scores(after, submission.scores, seq, now);
            return Decision{Outcome::kImproved, after};
        case Rule::kLast: {
            const Outcome outcome = apply_last(after, submission, seq, now);
            return Decision{outcome, after};
        }
        case Rule::kSum: {
            const auto total = sum(rules, before->scores, submission.scores);
            if (!total) return total.error();
            set_scores(after, *total, seq, now);
            return Decision{Outcome::kAdded, after};
        }
        case Rule::kFirst:
            break;
    }
    return Decision{Outcome::kUnchanged, after};
}

Decision set_exactly(const std::optional<Entry>& before, const Submission& submission,
                     base::Sequence seq, base::Instant now) {
    if (!before) {
        Entry after = created(submission, seq, now);
        after.occurred_at = submission.occurred_at;
        return {Outcome::kCreated, after};
    }
    Entry after = touched(*before, seq);
    if (before->scores == submission.scores) {
        if (submission.occurred_at != base::kNever) after.occurred_at = submission.occurred_at;
        return {Outcome::kUnchanged, after};
    }
    set_scores(after, submission.scores, seq, now);
    after.occurred_at = submission.occurred_at;
    return {Outcome::kReplaced, after};
}

}  // namespace standings::ranking
