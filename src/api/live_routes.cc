// Watching a ranking.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/event_stream.h"
#include "api/live_socket.h"
#include "api/routes.h"
#include "api/view_answers.h"
#include "live/hub.h"
#include "text/clean_text.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

Error invalid(std::string_view parameter, std::string detail) {
    return {ErrorCode::kInvalid, std::move(detail), '?' + std::string(parameter)};
}

// What to watch: the first rows, those around a player, or the player's own.
Result<live::View> read_view(const Call& call, const std::string& board) {
    const auto around = call.target.parameter("around");
    const auto player = call.target.parameter("player");
    const bool has_top = call.target.parameter("top").has_value();
    if (int{around.has_value()} + int{player.has_value()} + int{has_top} > 1) {
        return invalid("top", "Use one of `top`, `around` and `player`.");
    }
    if (call.target.parameter("span") && !around) {
        return invalid("span", "`span` belongs to `around`: rows on each side of the player.");
    }
    const std::string_view id = around ? *around : player.value_or("");
    if ((around || player) && !text::is_player_id(id)) {
        return invalid(around ? "around" : "player", "This is a player's id.");
    }
    if (player) return live::View{live::ViewKind::kPlayer, board, std::string(id), 0};
    if (around) {
        const auto span = call.number("span", 5, 1, 10);
        if (!span) return span.error();
        return live::View{live::ViewKind::kAround, board, std::string(id),
                          *live::round_span(*span)};
    }
    const auto top = call.number("top", 10, 1, 100);
    if (!top) return top.error();
    return live::View{live::ViewKind::kTop, board, {}, *live::round_top(*top)};
}

Result<std::uint32_t> read_rate(const Call& call) {
    const auto rate = call.number("rate", live::kUsualRate, 1, 20);
    if (!rate) return rate.error();
    if (std::ranges::find(live::kRates, *rate) == std::end(live::kRates)) {
        return invalid("rate", "Frames a second, at most: 1, 2, 5, 10 or 20.");
    }
    return static_cast<std::uint32_t>(*rate);
}

// The seq that the client has, "k3:90412". Of another epoch, or no position at all: it gets all.
base::Sequence read_position(std::string_view text, std::string_view epoch) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || text.substr(0, colon) != epoch) return {};
    text.remove_prefix(colon + 1);
    base::Sequence seq;
    const char* const end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data(), end, seq.value);
    return failure == std::errc{} && at == end ? seq : base::Sequence{};
}

void watch_board(Call& call) {
    const auto known =
        call.check_parameters({"top", "around", "span", "player", "rate", "since", "period"});
    if (!known) return call.reply.problem(known.error());
    if (const auto period = check_period(call); !period) {
        return call.reply.problem(period.error());
    }
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    auto view = read_view(call, (*board)->slug());
    if (!view) return call.reply.problem(view.error());
    const auto rate = read_rate(call);
    if (!rate) return call.reply.problem(rate.error());
    if (call.request.method == net::Method::kHead) {
        return call.reply.send(200, "text/event-stream", {}, "Cache-Control: no-store\r\n");
    }
    if (call.service().draining) {
        return call.reply.problem({ErrorCode::kDraining, "The server is shutting down."});
    }
    // A browser that comes back says where it was; others may name it in the address.
    const std::string_view since = !call.request.last_event_id.empty()
                                       ? call.request.last_event_id
                                       : call.target.parameter("since").value_or("");
    const bool may_read_private = call.caller.may(access::Scope::kReadPrivate);
    open_event_stream(std::move(call.reply),
                      {.loop = 0,
                       .watcher = {},
                       .view = *std::move(view),
                       .rate = *rate,
                       .since = read_position(since, call.service().engine.epoch()),
                       .may_read_private = may_read_private});
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/v1/boards/{board}/live", access::Scope::kNone, watch_board, true},
    {net::Method::kGet, "/v1/live", access::Scope::kNone, open_live_socket, true},
};

}  // namespace

std::span<const Route> live_routes() {
    return kRoutes;
}

}  // namespace standings::api
