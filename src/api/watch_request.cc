#include "api/watch_request.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "live/hub.h"
#include "text/clean_text.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

// `round` answers none for what is out of bounds.
Result<std::uint32_t> to_size(std::uint64_t asked, std::uint64_t most,
                              std::optional<std::uint32_t> (*round)(std::uint64_t),
                              std::string pointer) {
    if (const auto size = round(asked)) return *size;
    return Error{ErrorCode::kInvalid,
                 "This is a whole number from 1 to " + std::to_string(most) + ".",
                 std::move(pointer)};
}

}  // namespace

Result<live::View> to_view(const AskedView& asked, std::string_view board, std::string_view where) {
    const auto pointer = [&](std::string_view member) {
        return std::string(where) + std::string(member);
    };
    int kinds = 0;
    for (const auto& [is_given, member] :
         {std::pair{asked.top.has_value(), "top"}, std::pair{asked.around.has_value(), "around"},
          std::pair{asked.player.has_value(), "player"},
          std::pair{asked.feed.has_value(), "feed"}}) {
        kinds += int{is_given};
        if (kinds < 2) continue;
        return Error{ErrorCode::kInvalid, "Use one of `top`, `around`, `player` and `feed`.",
                     pointer(member)};
    }
    if (asked.span && !asked.around) {
        return Error{ErrorCode::kInvalid,
                     "`span` belongs to `around`: rows on each side of the player.",
                     pointer("span")};
    }
    if (board.empty() && !asked.feed) {
        return Error{ErrorCode::kInvalid, "`board` is the id of a board.", "/board"};
    }
    const auto id = asked.around ? asked.around : asked.player;
    if (id && !text::is_player_id(*id)) {
        return Error{ErrorCode::kInvalid, "This is a player's id.",
                     pointer(asked.around ? "around" : "player")};
    }
    live::View view{.board = std::string(board), .player = std::string(id.value_or(""))};
    Result<std::uint32_t> size = std::uint32_t{0};
    if (asked.feed) {
        view.kind = live::ViewKind::kFeed;
        size = to_size(*asked.feed, 100, live::round_feed, pointer("feed"));
    } else if (asked.around) {
        view.kind = live::ViewKind::kAround;
        size = to_size(asked.span.value_or(5), 10, live::round_span, pointer("span"));
    } else if (asked.player) {
        view.kind = live::ViewKind::kPlayer;
    } else {
        size = to_size(asked.top.value_or(10), 100, live::round_top, pointer("top"));
    }
    if (!size) return size.error();
    view.size = *size;
    return view;
}

Result<std::uint32_t> to_rate(std::optional<std::uint64_t> rate, std::string pointer) {
    const std::uint64_t asked = rate.value_or(live::kUsualRate);
    if (std::ranges::find(live::kRates, asked) != std::end(live::kRates)) {
        return static_cast<std::uint32_t>(asked);
    }
    return Error{ErrorCode::kInvalid, "Frames a second, at most: 1, 2, 5, 10 or 20.",
                 std::move(pointer)};
}

}  // namespace standings::api
