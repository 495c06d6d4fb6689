// Reading a ranking: pages, windows, friends, ranges, and the rank of a score.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "api/cursor_text.h"
#include "api/details_read.h"
#include "api/player_round.h"
#include "api/routes.h"
#include "api/standings_json.h"
#include "api/view_answers.h"
#include "base/check.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kMaxFriends = 200;
constexpr std::uint64_t kMaxOffset = UINT32_MAX;

// What a request asks of /standings.
struct View {
    enum class Kind { kOffset, kRange, kAround, kPlayers } kind = Kind::kOffset;
    std::size_t limit = 50;
    std::size_t offset = 0;
    std::string_view player;
    std::vector<std::string_view> players;
    std::optional<engine::Cursor> cursor;
    engine::ScoreRange range;
};

Error invalid(std::string pointer, std::string detail) {
    return {ErrorCode::kInvalid, std::move(detail), std::move(pointer)};
}

Result<std::optional<std::int64_t>> read_bound(const Call& call, std::string_view name,
                                               const ranking::Column& column) {
    const auto text = call.target.parameter(name);
    if (!text) return std::optional<std::int64_t>{};
    auto units = ranking::parse_units(*text, column.decimals);
    if (!units) return invalid('?' + std::string(name), units.error().detail);
    return std::optional(*units);
}

Result<std::vector<std::string_view>> read_friends(std::string_view text) {
    std::vector<std::string_view> players;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        const std::string_view player = text.substr(0, comma);
        if (!text::is_player_id(player)) {
            return invalid("?players", "`players` is a list of player ids, parted by commas.");
        }
        players.push_back(player);
        if (players.size() > kMaxFriends) {
            return invalid("?players", "At most 200 players can be asked for at once.");
        }
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    if (players.empty()) return invalid("?players", "`players` names at least one player.");
    return players;
}

Result<View> read_view(const Call& call, const ledger::BoardConfig& config) {
    const auto known = call.check_parameters({"limit", "offset", "cursor", "around", "players",
                                              "score_gte", "score_lte", "period", "min_seq"});
    if (!known) return known.error();
    if (const auto period = check_period(call); !period) return period.error();
    View view;
    const auto limit = call.number("limit", 50, 1, 1000);
    if (!limit) return limit.error();
    view.limit = static_cast<std::size_t>(*limit);

    const auto offset = call.target.parameter("offset");
    const auto around = call.target.parameter("around");
    const auto players = call.target.parameter("players");
    const auto cursor = call.target.parameter("cursor");
    const ranking::Column& first = config.rules.columns[0];
    const auto at_least = read_bound(call, "score_gte", first);
    if (!at_least) return at_least.error();
    const auto at_most = read_bound(call, "score_lte", first);
    if (!at_most) return at_most.error();
    const bool ranged = *at_least || *at_most || cursor;
    if (int{offset.has_value()} + int{around.has_value()} + int{players.has_value()} + int{ranged} >
        1) {
        return invalid("?offset",
                       "Use one of `offset`, `around`, `players`, and `cursor` or "
                       "`score_gte`/`score_lte`.");
    }

    if (around) {
        if (!text::is_player_id(*around)) return invalid("?around", "`around` is a player's id.");
        view.kind = View::Kind::kAround;
        view.player = *around;
    } else if (players) {
        auto friends = read_friends(*players);
        if (!friends) return friends.error();
        view.kind = View::Kind::kPlayers;
        view.players = *std::move(friends);
    } else if (ranged) {
        view.kind = View::Kind::kRange;
        view.range = {*at_least, *at_most};
        if (cursor) {
            auto parsed = parse_cursor(*cursor, config.rules.columns.size());
            if (!parsed) return invalid("?cursor", parsed.error().detail);
            view.cursor = *parsed;
        }
    } else {
        const auto from = call.number("offset", 0, 0, kMaxOffset);
        if (!from) return from.error();
        view.offset = static_cast<std::size_t>(*from);
    }
    return view;
}

void read_page(const engine::HostedBoard& board, const View& view, engine::Page& page) {
    switch (view.kind) {
        case View::Kind::kOffset:
            return engine::read_offset(board, view.offset, view.limit, page);
        case View::Kind::kRange:
            return engine::read_range(board, view.range, view.cursor, view.limit, page);
        case View::Kind::kPlayers:
            return engine::read_players(board, view.players, page);
        case View::Kind::kAround:
            break;  // with others of its round
    }
    CHECK(false);
}

// How a page is told.
struct PageForm {
    ViewId view;
    bool with_meta;
    bool credential;
    bool any;  // `If-None-Match: *`
    bool cursors = true;
    std::string keep_as = {};  // the target of a first page that may be kept; empty: do not keep it
};

void answer_page(Reply& reply, std::shared_ptr<engine::HostedBoard> board, engine::Page& page,
                 PageForm form) {
    if (form.any) return answer_any(reply, page, form.view, form.credential);
    with_details(
        page, reply,
        [board = std::move(board), form = std::move(form)](const engine::Page& rows, Reply& its) {
            LoopTools& tools = its.tools();
            const std::string& epoch = tools.service.engine.epoch();
            std::string& body = tools.body;
            body.clear();
            append_page(body, board->slug(), epoch, rows, form.cursors, form.with_meta);
            const std::string_view headers =
                view_headers(tools, rows.seq, form.view, *rows.config, form.credential);
            its.json(200, body, headers);
            if (form.keep_as.empty()) return;
            std::string etag;
            append_etag(etag, epoch, rows.seq, form.view);
            tools.pages.put(form.keep_as,
                            {board, rows.seq, std::move(etag), std::string(headers), body});
        });
}

void answer_around(PlayerQuery& query) {
    engine::Page& page = query.reply.tools().page;
    if (!engine::read_around(*query.board, query.player, query.rows, page)) {
        return query.reply.problem(
            {ErrorCode::kPlayerNotFound,
             "The player '" + query.player + "' has no entry on this board."});
    }
    answer_page(query.reply, std::move(query.board), page,
                {.view = query.view,
                 .with_meta = query.with_meta,
                 .credential = query.credential,
                 .any = query.any});
}

void get_standings(Call& call) {
    auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    const bool with_meta = call.caller.may(access::Scope::kReadPrivate);
    const ViewId id = view_id(call.request.target, with_meta);
    if (answer_unchanged(call, **board, id)) return;
    const auto config =
        (*board)->read([](const engine::HostedBoard::View& look) { return look.config; });
    const auto view = read_view(call, *config);
    if (!view) return call.reply.problem(view.error());

    const bool any = call.request.if_none_match == "*";
    LoopTools& tools = call.tools();
    if (view->kind == View::Kind::kAround) {
        return tools.players->add({.reply = std::move(call.reply),
                                   .board = *std::move(board),
                                   .player = std::string(view->player),
                                   .rows = view->limit,
                                   .view = id,
                                   .with_meta = with_meta,
                                   .credential = with_credential(call),
                                   .any = any,
                                   .answer = answer_around});
    }
    PageForm form{.view = id,
                  .with_meta = with_meta,
                  .credential = with_credential(call),
                  .any = any,
                  .cursors = view->kind != View::Kind::kPlayers};
    read_page(**board, *view, tools.page);
    if (view->kind == View::Kind::kOffset && view->offset == 0 && !with_meta &&
        tools.page.config->visibility == ledger::Visibility::kPublic &&
        !call.target.parameter("min_seq")) {
        form.keep_as = call.request.target;
    }
    answer_page(call.reply, *std::move(board), tools.page, std::move(form));
}

void get_rank(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    if (const auto known = call.check_parameters({"score", "scores", "period", "min_seq"});
        !known) {
        return call.reply.problem(known.error());
    }
    if (const auto period = check_period(call); !period) {
        return call.reply.problem(period.error());
    }
    const auto config =
        (*board)->read([](const engine::HostedBoard::View& look) { return look.config; });
    const auto& columns = config->rules.columns;
    const std::string_view name = columns.size() == 1 ? "score" : "scores";
    const std::string_view other = columns.size() == 1 ? "scores" : "score";
    if (call.target.parameter(other)) {
        return call.reply.problem(
            invalid('?' + std::string(other), "This board takes `" + std::string(name) + "`."));
    }
    std::string_view text = call.target.parameter(name).value_or("");
    ranking::Scores scores;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::size_t comma = i + 1 < columns.size() ? text.find(',') : text.size();
        const auto units = ranking::parse_units(text.substr(0, comma), columns[i].decimals);
        if (!units) {
            return call.reply.problem(invalid(
                '?' + std::string(name),
                columns.size() == 1
                    ? units.error().detail
                    : "`scores` has a number for each of the " + std::to_string(columns.size()) +
                          " columns, parted by commas. " + units.error().detail));
        }
        scores.units[i] = *units;
        text.remove_prefix(comma == std::string_view::npos ? text.size()
                                                           : std::min(comma + 1, text.size()));
    }

    const engine::WouldBe would_be = engine::read_rank_of(**board, scores);
    std::string& body = call.tools().body;
    body.assign("{");
    append_position(body, (*board)->slug(), call.service().engine.epoch(), would_be.seq,
                    would_be.total);
    body += ",\"rank\":";
    text::append_number(body, would_be.rank.value);
    body += ',';
    append_scores(body, *config, scores);
    body += "}\n";
    call.reply.json(200, body, cache_rule(*config, with_credential(call)));
}

void answer_standing(PlayerQuery& query) {
    LoopTools& tools = query.reply.tools();
    engine::Page& page = tools.page;
    const auto own = engine::read_standing(*query.board, query.player, query.rows / 2, page);
    if (!own) {
        return query.reply.problem(
            {ErrorCode::kPlayerNotFound,
             "This player has no entry on the board '" + query.board->slug() + "'."});
    }
    if (query.any) return answer_any(query.reply, page, query.view, query.credential);
    with_details(
        page, query.reply,
        [board = query.board, own = *own, with_rows = query.rows > 0, with_meta = query.with_meta,
         view = query.view, credential = query.credential](const engine::Page& rows, Reply& reply) {
            LoopTools& its = reply.tools();
            std::string& body = its.body;
            body.clear();
            append_row(body, *rows.config, rows.rows[own], rows.player(own), rows.details_of(own),
                       with_meta);
            body.back() = ',';
            append_position(body, board->slug(), its.service.engine.epoch(), rows.seq, rows.total);
            if (with_rows) {
                body += ",\"rows\":";
                append_rows(body, rows, with_meta);
            }
            body += "}\n";
            reply.json(200, body, view_headers(its, rows.seq, view, *rows.config, credential));
        });
}

void get_standing(Call& call) {
    auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    const bool with_meta = call.caller.may(access::Scope::kReadPrivate);
    const ViewId view = view_id(call.request.target, with_meta);
    if (answer_unchanged(call, **board, view)) return;
    if (const auto known = call.check_parameters({"around", "period", "min_seq"}); !known) {
        return call.reply.problem(known.error());
    }
    if (const auto period = check_period(call); !period) {
        return call.reply.problem(period.error());
    }
    const auto neighbours = call.number("around", 0, 0, 100);
    if (!neighbours) return call.reply.problem(neighbours.error());
    const bool with_rows = call.target.parameter("around").has_value();
    LoopTools& tools = call.tools();
    tools.players->add({.reply = std::move(call.reply),
                        .board = *std::move(board),
                        .player = std::string(call.target.segment(4)),
                        .rows = with_rows ? 2 * static_cast<std::size_t>(*neighbours) + 1 : 0,
                        .view = view,
                        .with_meta = with_meta,
                        .credential = with_credential(call),
                        .any = call.request.if_none_match == "*",
                        .answer = answer_standing});
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/v1/boards/{board}/players/{player}", access::Scope::kNone, get_standing,
     true},
    {net::Method::kGet, "/v1/boards/{board}/standings", access::Scope::kNone, get_standings, true},
    {net::Method::kGet, "/v1/boards/{board}/rank", access::Scope::kNone, get_rank, true},
};

}  // namespace

std::span<const Route> standings_routes() {
    return kRoutes;
}

}  // namespace standings::api
