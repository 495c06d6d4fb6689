// The ledger: a list of what was submitted, a player's history, and taking submissions back.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "api/details_read.h"
#include "api/ledger_json.h"
#include "api/routes.h"
#include "api/slow_read.h"
#include "api/standings_json.h"
#include "engine/ledger_queries.h"
#include "engine/take_back.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using Board = std::shared_ptr<engine::HostedBoard>;

Error no_player_id(std::string pointer) {
    return {ErrorCode::kInvalid, "A player's id has 1 to 128 of A-Z, a-z, 0-9 and . _ : @ -",
            std::move(pointer)};
}

// --- reading --------------------------------------------------------------------------------

void list_submissions(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    if (const auto known =
            call.check_parameters({"player", "after_seq", "cursor", "limit", "min_seq"});
        !known) {
        return call.reply.problem(known.error());
    }
    const auto limit = call.number("limit", 50, 1, 1000);
    if (!limit) return call.reply.problem(limit.error());
    // A cursor of this list is a seq: of a board's the one to go on after, of a player's, which is
    // walked from its end, the one to go on before.
    const auto after = call.number("after_seq", 0, 0, base::kMaxSequence);
    if (!after) return call.reply.problem(after.error());
    const auto cursor = call.number("cursor", 0, 0, base::kMaxSequence);
    if (!cursor) return call.reply.problem(cursor.error());
    const auto player = call.target.parameter("player");
    if (player && !text::is_player_id(*player)) return call.reply.problem(no_player_id("?player"));

    engine::Engine& engine = call.service().engine;
    read_slowly<engine::LedgerPage>(
        std::move(call.reply),
        [board = *board, player = std::string(player.value_or("")),
         limit = static_cast<std::size_t>(*limit), after = base::Sequence{*after},
         cursor = base::Sequence{*cursor}, &clock = engine.clock()](ledger::LedgerReader& reader) {
            if (player.empty()) {
                return engine::list_ledger(reader, *board, clock, std::max(after, cursor), limit);
            }
            return engine::list_player_ledger(reader, *board, clock, player, after, cursor, limit);
        },
        [board = *board](engine::LedgerPage& page, Reply& reply) {
            LoopTools& tools = reply.tools();
            tools.body.clear();
            append_ledger_page(tools.body, board->slug(), tools.service.engine.epoch(), page);
            reply.json(200, tools.body, "Cache-Control: no-store\r\n");
        });
}

void get_history(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    if (const auto known = call.check_parameters({"points", "min_seq"}); !known) {
        return call.reply.problem(known.error());
    }
    const auto points = call.number("points", 100, 2, 1000);
    if (!points) return call.reply.problem(points.error());
    const std::string& epoch = call.service().engine.epoch();
    const ViewId view = view_id(call.request.target);
    std::string etag;
    append_etag(etag, epoch, (*board)->seq(), view);
    if (!call.request.if_none_match.empty() && etag_matches(call.request.if_none_match, etag)) {
        return call.reply.empty(304, "ETag: " + etag + "\r\nCache-Control: no-cache\r\n");
    }

    engine::Engine& engine = call.service().engine;
    read_slowly<std::optional<engine::History>>(
        std::move(call.reply),
        [board = *board, player = std::string(call.target.segment(4)),
         points = static_cast<std::size_t>(*points),
         &clock = engine.clock()](ledger::LedgerReader& reader) {
            return engine::read_history(reader, *board, clock, player, points);
        },
        [board = *board, view](std::optional<engine::History>& history, Reply& reply) {
            if (!history) {
                return reply.problem(
                    {ErrorCode::kPlayerNotFound,
                     "This player has no entry on the board '" + board->slug() + "'."});
            }
            LoopTools& tools = reply.tools();
            const std::string& now = tools.service.engine.epoch();
            tools.body.clear();
            append_history(tools.body, board->slug(), now, *history);
            std::string headers = "Cache-Control: no-cache\r\nETag: ";
            append_etag(headers, now, history->board_seq, view);
            reply.json(200, tools.body, headers + "\r\n");
        });
}

// --- taking back ----------------------------------------------------------------------------

// A player who submits all the time can be faster than a chain is read.
constexpr int kTries = 5;

struct TakeBackRequest {
    Board board;
    engine::TakeBackTarget target;
    int tries = 0;
};

void take_back(Reply reply, TakeBackRequest request);

void answer_taken_back(Reply& reply, const Board& board, std::size_t count, base::Sequence seq,
                       std::string_view player) {
    const auto begin = [count, seq](LoopTools& tools) {
        std::string& body = tools.body;
        body.assign("{\"deleted\":");
        text::append_number(body, count);
        body += ",\"seq\":";
        text::append_number(body, seq.value);
        body += ",\"epoch\":\"" + tools.service.engine.epoch() + '"';
    };
    engine::Page& page = reply.tools().page;
    const auto own = engine::read_standing(*board, player, 0, page);
    if (!own) {
        begin(reply.tools());
        reply.tools().body += "}\n";
        return reply.json(200, reply.tools().body);
    }
    const auto render = [begin, own = *own](const engine::Page& rows, Reply& to) {
        LoopTools& tools = to.tools();
        begin(tools);
        std::string& body = tools.body;
        body += ",\"standing\":";
        append_row(body, *rows.config, rows.rows[own], rows.player(own), rows.details_of(own));
        body.pop_back();
        body += ",\"seq\":";
        text::append_number(body, rows.seq.value);
        body += "}}\n";
        to.json(200, body);
    };
    with_details(page, reply, render, WithoutNames::kBareRows);
}

// What a worker has planned, on its way through the committer.
class TakeBackWrite final : public engine::EntryOperation {
  public:
    TakeBackWrite(Reply reply, TakeBackRequest request, engine::TakeBackPlan plan)
        : EntryOperation(reply.tools().mailbox, request.board),
          reply_(std::move(reply)),
          request_(std::move(request)),
          plan_(std::move(plan)) {
        engine::EntryChange change;
        change.board = &board();
        change.columns_version = board().columns_version();
        change.kind = ledger::EventKind::kTakenBack;
        change.player = plan_.player;
        change.take_back = &plan_.planned;
        changes.push_back(change);
    }

    void finished() override {
        if (error) return reply_.problem(*error);
        if (outcomes[0].stale) return take_back(std::move(reply_), std::move(request_));
        answer_taken_back(reply_, request_.board, plan_.count, outcomes[0].seq, plan_.player);
    }
    Reply& reply() { return reply_; }

  private:
    Reply reply_;
    TakeBackRequest request_;
    engine::TakeBackPlan plan_;
};

void take_back(Reply reply, TakeBackRequest request) {
    if (++request.tries > kTries) {
        return reply.problem(
            {ErrorCode::kOverloaded,
             "The player's entry changes faster than its submissions can be read. Nothing was "
             "taken back; close the board for a moment, or try again."});
    }
    const engine::TakeBackTarget target = request.target;
    const base::Clock& clock = reply.tools().service.engine.clock();
    read_slowly<engine::TakeBackPlan>(
        std::move(reply),
        [board = request.board, target, &clock](ledger::LedgerReader& reader) {
            return engine::plan_take_back(reader, *board, clock, target);
        },
        [request](engine::TakeBackPlan& plan, Reply& to) {
            if (plan.count == 0) {
                return answer_taken_back(to, request.board, 0, request.board->seq(), plan.player);
            }
            engine::Engine& engine = to.tools().service.engine;
            std::unique_ptr<engine::Operation> write =
                std::make_unique<TakeBackWrite>(std::move(to), request, std::move(plan));
            const auto taken = engine.submit(write);
            if (!taken) static_cast<TakeBackWrite&>(*write).reply().problem(taken.error());
        });
}

void delete_submission(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    const std::string_view text = call.target.segment(4);
    const auto seq = ranking::parse_units(text, 0);
    if (!seq || *seq < 1 || text.find_first_not_of("0123456789") != text.npos) {
        return call.reply.problem(
            {ErrorCode::kSubmissionNotFound, "A submission is named by its seq, a whole number."});
    }
    take_back(std::move(call.reply),
              {.board = *board, .target = base::Sequence{static_cast<std::uint64_t>(*seq)}});
}

void delete_submissions(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    const auto player = call.target.parameter("player");
    if (!player) {
        return call.reply.problem({ErrorCode::kInvalid,
                                   "Say whose submissions are taken back. To empty the whole board "
                                   "POST to its /reset.",
                                   "?player"});
    }
    if (!text::is_player_id(*player)) return call.reply.problem(no_player_id("?player"));
    take_back(std::move(call.reply), {.board = *board, .target = std::string(*player)});
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/v1/boards/{board}/submissions", access::Scope::kReadPrivate,
     list_submissions},
    {net::Method::kDelete, "/v1/boards/{board}/submissions", access::Scope::kModerate,
     delete_submissions, false, "player"},
    {net::Method::kDelete, "/v1/boards/{board}/submissions/{seq}", access::Scope::kModerate,
     delete_submission},
    {net::Method::kGet, "/v1/boards/{board}/players/{player}/history", access::Scope::kNone,
     get_history, true},
};

}  // namespace

std::span<const Route> ledger_routes() {
    return kRoutes;
}

}  // namespace standings::api
