// Watching a ranking.
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/event_stream.h"
#include "api/live_socket.h"
#include "api/routes.h"
#include "api/view_answers.h"
#include "api/watch_request.h"

namespace standings::api {
namespace {

using base::ErrorCode;
using base::Result;

// A number that need not be there.
Result<std::optional<std::uint64_t>> read_number(const Call& call, std::string_view name) {
    if (!call.target.parameter(name)) return std::optional<std::uint64_t>{};
    const auto number = call.number(name, 1, 1, 100);
    if (!number) return number.error();
    return std::optional(*number);
}

Result<live::View> read_view(const Call& call, const std::string& board) {
    AskedView asked{.around = call.target.parameter("around"),
                    .player = call.target.parameter("player"),
                    .top = {},
                    .span = {},
                    .feed = {}};
    for (const auto& [name, member] : {std::pair{"top", &asked.top}, std::pair{"span", &asked.span},
                                       std::pair{"feed", &asked.feed}}) {
        const auto number = read_number(call, name);
        if (!number) return number.error();
        *member = *number;
    }
    return to_view(asked, board, "?");
}

Result<std::uint32_t> read_rate(const Call& call) {
    const auto rate = read_number(call, "rate");
    if (!rate) return rate.error();
    return to_rate(*rate, "?rate");
}

// The seq that the client has, "k3:90412". None: it names none. 0: it is of another epoch, or no
// position at all.
std::optional<base::Sequence> read_position(std::string_view text, std::string_view epoch) {
    if (text.empty()) return std::nullopt;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || text.substr(0, colon) != epoch) return base::Sequence{};
    text.remove_prefix(colon + 1);
    base::Sequence seq;
    const char* const end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data(), end, seq.value);
    return failure == std::errc{} && at == end ? seq : base::Sequence{};
}

void watch_board(Call& call) {
    const auto known = call.check_parameters(
        {"top", "around", "span", "player", "feed", "rate", "since", "period"});
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
