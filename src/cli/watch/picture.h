// A board that is watched, as it looks on a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cli/watch/live_rows.h"
#include "cli/watch/moves.h"

namespace standings::cli {

// Which rows of a board somebody wants to see.
struct WatchedView {
    std::string board;
    std::size_t count = 20;             // of the first rows, unless there is a
    std::optional<std::string> player;  // then theirs,
    std::size_t around = 0;             // with so many on each side

    // The API's: its views come in a few sizes, so there may be more rows.
    std::string target(std::optional<std::uint32_t> rate) const;
    // Of all the rows of the view those that were asked for, in order.
    std::vector<const LiveRow*> wanted(const LiveRows& rows) const;
};

// Of a board what its rows do not say.
struct BoardHead {
    std::string title;  // empty: none
    std::vector<std::string> columns;
    bool is_closed = false;
};

struct Picture {
    const WatchedView& view;
    const BoardHead& head;
    const LiveRows& rows;
    const Moves& moves;
    bool is_connected;
    std::string state;  // "live"
    std::string news;   // what happened to the board lately; empty: nothing
    base::Monotonic now;
};

struct Canvas {
    std::size_t columns;
    std::size_t lines;
    bool has_colour;
};

// As many lines as the canvas has at most, none wider than it unless its numbers alone are; between
// them line feeds. What does not fit below is left out and counted; a player's own row stays.
std::string draw(const Picture& picture, const Canvas& canvas);

}  // namespace standings::cli
