#include "api/player_round.h"

#include <utility>

#include "engine/queries.h"
#include "ranking/board.h"

namespace standings::api {
namespace {

// More at once would push each other's lines out of the cache.
constexpr std::size_t kAtOnce = 16;
// The player and eight on each side: an answer with more is long.
constexpr std::size_t kFewRows = 17;

}  // namespace

void PlayerRound::add(PlayerQuery query) {
    if (query.rows > kFewRows) return query.answer(query);
    waiting_.push_back(std::move(query));
    if (waiting_.size() == kAtOnce) answer_all();
}

void PlayerRound::answer_all() {
    // Alone it would wait all the same.
    const int steps = waiting_.size() > 1 ? ranking::Board::kWarmSteps : 0;
    for (int step = 0; step < steps; ++step) {
        for (const PlayerQuery& query : waiting_) engine::warm(*query.board, query.player, step);
    }
    for (PlayerQuery& query : waiting_) query.answer(query);
    waiting_.clear();
}

}  // namespace standings::api
