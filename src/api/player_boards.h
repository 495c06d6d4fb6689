// One player on all boards: a worker looks through them, so that many boards stop no event loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/call.h"
#include "engine/hosted_board.h"
#include "engine/registry.h"

namespace standings::api {

// Calls `visit(board)` for every board beyond `after` in order of slug, until it answers false. The
// registry is held for a slice of them at a time. ~0.5 us a board.
void for_each_board(const engine::Registry& registry, std::string after,
                    const std::function<bool(const std::shared_ptr<engine::HostedBoard>&)>& visit);

struct PlayerBoardsView {
    std::string player;
    std::string after;  // the slug of the last board seen
    std::size_t limit = 50;
    bool private_too = false;
    std::string headers;  // ready lines for the answer
};

// Answers with the player's standings on all boards that may be seen; 404 where there is none.
void answer_player_boards(Reply reply, PlayerBoardsView view);

}  // namespace standings::api
