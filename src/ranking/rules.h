// How a board ranks, and what one submission does to an entry. Pure: no clock, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "ranking/score.h"

namespace standings::ranking {

// How a submission changes an entry. With kBest the whole tuple of columns is compared and
// replaced. The numbers are stored.
enum class Rule : std::uint8_t { kBest = 0, kLast = 1, kSum = 2, kFirst = 3 };
// Equal scores share a rank (1,2,2,4), or the one who reached it first is ahead.
enum class Ties : std::uint8_t { kShared = 0, kEarliest = 1 };
enum class Order : std::uint8_t { kDescending = 0, kAscending = 1 };

struct Column {
    std::string name = "score";
    Order order = Order::kDescending;
    std::uint8_t decimals = 0;
    friend bool operator==(const Column&, const Column&) = default;
};

// 1 to kMaxColumns columns; the engine validates before a Rules gets here.
struct Rules {
    Rule rule = Rule::kBest;
    Ties ties = Ties::kShared;
    std::vector<Column> columns = {Column{}};
    friend bool operator==(const Rules&, const Rules&) = default;
};

// A player's current state in one ranking.
struct Entry {
    Scores scores;
    base::Sequence reached_seq;                // tie-break: moves only when the scores change
    base::Sequence last_seq;                   // the player's last event on the board
    base::Instant reached_at;                  // the server's time at reached_seq
    base::Instant occurred_at = base::kNever;  // of the submission that set the scores (kLast only)
    std::uint32_t submissions = 0;  // counted towards this entry, the ones without effect too
    bool has_details = false;       // a name or meta is stored for it
    friend bool operator==(const Entry&, const Entry&) = default;
};

enum class Outcome : std::uint8_t {
    kCreated = 0,
    kImproved = 1,
    kUnchanged = 2,
    kAdded = 3,
    kReplaced = 4,
    kRemoved = 5,
};

struct Submission {
    Scores scores;
    base::Instant occurred_at = base::kNever;
};

struct Decision {
    Outcome outcome;
    Entry after;
};

// < 0 when `a` is ahead of `b`, 0 when they are equal, by the columns alone.
int compare(const Rules& rules, const Scores& a, const Scores& b);

// What `submission` at `seq` makes of the entry `before`. Fails with kScoreOverflow when a sum
// leaves +-kMaxUnits. `after.last_seq` is `seq`; reached_seq and reached_at move only when the
// scores change. kLast compares occurred_at when both have one: an older one is kUnchanged.
base::Result<Decision> evaluate(const Rules& rules, const std::optional<Entry>& before,
                                const Submission& submission, base::Sequence seq,
                                base::Instant now);

// Sets the scores past the rule (PUT): kCreated, kReplaced, or kUnchanged when they are the same.
Decision set_exactly(const std::optional<Entry>& before, const Submission& submission,
                     base::Sequence seq, base::Instant now);

}  // namespace standings::ranking
