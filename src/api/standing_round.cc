#include "api/standing_round.h"

#include <utility>

#include "api/details_read.h"
#include "api/standings_json.h"
#include "api/view_answers.h"
#include "engine/queries.h"

namespace standings::api {
namespace {

// More at once would push each other's lines out of the cache.
constexpr std::size_t kAtOnce = 16;
// Asked for on each side: an answer with more of them is long.
constexpr std::size_t kFewNeighbours = 8;

void answer(StandingQuery& query) {
    LoopTools& tools = query.reply.tools();
    engine::Page& page = tools.page;
    const auto own = engine::read_standing(*query.board, query.player, query.neighbours, page);
    if (!own) {
        return query.reply.problem(
            {base::ErrorCode::kPlayerNotFound,
             "This player has no entry on the board '" + query.board->slug() + "'."});
    }
    if (query.any) {
        return query.reply.empty(
            304, view_headers(tools, page.seq, query.view, *page.config, query.credential));
    }
    with_details(
        page, query.reply,
        [board = query.board, own = *own, with_rows = query.with_rows, with_meta = query.with_meta,
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

}  // namespace

void StandingRound::add(StandingQuery query) {
    if (query.neighbours > kFewNeighbours) return answer(query);
    waiting_.push_back(std::move(query));
    if (waiting_.size() == kAtOnce) answer_all();
}

void StandingRound::answer_all() {
    // Alone it would wait all the same.
    const int steps = waiting_.size() > 1 ? ranking::Board::kWarmSteps : 0;
    for (int step = 0; step < steps; ++step) {
        for (const StandingQuery& query : waiting_) engine::warm(*query.board, query.player, step);
    }
    for (StandingQuery& query : waiting_) answer(query);
    waiting_.clear();
}

}  // namespace standings::api
