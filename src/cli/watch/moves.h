// Who has lately moved on a board that is watched.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "cli/watch/live_rows.h"

namespace standings::cli {

struct Move {
    bool is_new = false;  // was not among the rows
    // Ranks climbed since then; below zero: lost.
    std::int64_t climbed = 0;
};

// A move is shown for kShownFor after its last step, so that an eye can follow; steps within that
// time add up. Owner and thread: the command.
class Moves {
  public:
    static constexpr std::chrono::seconds kShownFor{3};

    // `tells_new`: a row that was not there before is news. Around a player it only means that the
    // player has moved.
    explicit Moves(bool tells_new) : tells_new_(tells_new) {}

    // These are the rows now. The first ones are no move.
    void note(const LiveRows& rows, base::Monotonic now);
    // None: it stands where it stood.
    std::optional<Move> of(const LiveRow& row, base::Monotonic now) const;

  private:
    struct Place {
        std::uint64_t rank = 0;
        std::uint64_t before = 0;  // 0: was not there
        std::optional<base::Monotonic> moved;
    };

    static bool is_shown(const Place& place, base::Monotonic now);

    const bool tells_new_;
    bool has_rows_ = false;
    std::map<std::string, Place, std::less<>> places_;
};

}  // namespace standings::cli
