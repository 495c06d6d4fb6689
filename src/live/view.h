// What can be watched: a few rows of one ranking, or the last submissions.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace standings::live {

enum class ViewKind : std::uint8_t {
    kTop,     // the first rows
    kAround,  // a player's row with those on both sides
    kPlayer,  // a player's row
    kFeed,    // the last submissions
};

// Views that compare equal are one: read once, written to bytes once, however many watch it.
struct View {
    ViewKind kind = ViewKind::kTop;
    std::string board;   // its slug; of kFeed also none: all public boards
    std::string player;  // of kAround and kPlayer
    // Rows of kTop; of kAround those on each side; of kFeed the items that come first; else 0.
    std::uint32_t size = 0;

    friend auto operator<=>(const View&, const View&) = default;
};

// "speedrun/all/top/25", "speedrun/all/around/5/u_812", "speedrun/all/player/u_812",
// "speedrun/feed/5", "feed/5": the name that frames carry. Slugs hold no '/'.
std::string name_of(const View& view);

// So that few views serve many watchers, sizes go up to the next of 10, 25, 50, 100 rows, and of 3,
// 5, 10 on each side, and of 5, 10, 20, 50, 100 in a feed. None: zero, or more than the largest.
std::optional<std::uint32_t> round_top(std::uint64_t rows);
std::optional<std::uint32_t> round_span(std::uint64_t rows);
std::optional<std::uint32_t> round_feed(std::uint64_t items);

}  // namespace standings::live
