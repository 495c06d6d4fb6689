// How old events are, told by their times alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace standings::ledger {

// The age of events before the newest one, asked for from the newest to the oldest. Times are those
// of a wall clock that may have been set meanwhile: a step back counts nothing, and a step ahead
// beyond a 24th of the window counts as that much. So no jump of the clock makes what came shortly
// before it old; of a quiet time keys are remembered longer than they must be.
class EventAge {
  public:
    explicit EventAge(std::chrono::milliseconds window) : longest_step_(window / 24) {}

    // At most the time from `at` to the event before this call.
    std::chrono::milliseconds back_to(base::Instant at) {
        if (newer_) age_ += step(at, *newer_);
        newer_ = at;
        return age_;
    }
    // Whether a step counts all that it can: more time may lie between the two.
    bool is_longest(base::Instant from, base::Instant to) const {
        return step(from, to) == longest_step_;
    }
    std::chrono::milliseconds step(base::Instant from, base::Instant to) const {
        if (to <= from) return std::chrono::milliseconds(0);
        // A stored time may be any number: the difference, not its sign, may need 64 bits.
        const auto ahead = static_cast<std::uint64_t>(to.ms) - static_cast<std::uint64_t>(from.ms);
        const auto longest = static_cast<std::uint64_t>(longest_step_.count());
        return std::chrono::milliseconds(std::min(ahead, longest));
    }

  private:
    const std::chrono::milliseconds longest_step_;
    std::optional<base::Instant> newer_;
    std::chrono::milliseconds age_{0};
};

}  // namespace standings::ledger
