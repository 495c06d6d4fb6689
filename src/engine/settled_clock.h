// The wall clock as upkeep believes it, which deletes what cannot be had again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace standings::engine {

// A wall clock that was set ahead is believed when it has stood there for an hour: a machine that
// boots before it knows the time is, a clock that jumps to the wrong century and is put right is
// not. Set back it is believed at once. Owner and thread: the committer. O(1).
class SettledClock {
  public:
    static constexpr auto kSettles = std::chrono::hours(1);

    explicit SettledClock(const base::Clock& clock) : clock_(clock) {
        believe(clock.now(), clock.monotonic());
    }

    // Asked about once a minute or more often: a jump counts from when it is first seen.
    base::Instant now() {
        const base::Instant wall = clock_.now();
        const base::Monotonic monotonic = clock_.monotonic();
        const base::Instant passed{believed_.ms + milliseconds(monotonic - at_)};
        const std::int64_t lead = wall.ms - passed.ms;
        if (lead <= kSlack) return believe(wall, monotonic);
        // A further jump has an hour of its own.
        if (!ahead_since_ || lead > lead_ + kSlack) {
            ahead_since_ = monotonic;
            lead_ = lead;
        }
        if (monotonic - *ahead_since_ >= kSettles) return believe(wall, monotonic);
        return passed;
    }

  private:
    // What clocks correct all the time is no jump.
    static constexpr std::int64_t kSlack = 1000;

    static std::int64_t milliseconds(base::Monotonic time) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    }
    base::Instant believe(base::Instant wall, base::Monotonic monotonic) {
        believed_ = wall;
        at_ = monotonic;
        ahead_since_.reset();
        return wall;
    }

    const base::Clock& clock_;
    base::Instant believed_;
    base::Monotonic at_{0};
    std::optional<base::Monotonic> ahead_since_;
    std::int64_t lead_ = 0;  // then, in milliseconds
};

}  // namespace standings::engine
