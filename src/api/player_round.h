// The reads of one round of a loop that begin with looking a player up, done together.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "api/call.h"

namespace standings::api {

// One read that begins with a player of a board.
struct PlayerQuery {
    Reply reply;
    std::shared_ptr<engine::HostedBoard> board;
    std::string player;
    std::size_t rows;  // of the window with the player in its middle; 0: none is asked for
    ViewId view;
    bool with_meta;
    bool credential;
    bool any;  // `If-None-Match: *`: only whether there is one
    void (*answer)(PlayerQuery&);
};

// Promise: each query is answered before its loop waits again, as of the moment of its answer; no
// more wait than are read at once, and none with a long answer, for what is not made yet does not
// count as a connection's unread output. Of reads alone a later one may be answered as of an
// earlier moment; before a write the handler has all answered. Owner: a loop's tools. Thread: the
// loop's. A player on a large board is four misses of the cache one after the other; of several
// players they go on side by side.
class PlayerRound {
  public:
    void add(PlayerQuery query);
    void answer_all();

  private:
    std::vector<PlayerQuery> waiting_;
};

}  // namespace standings::api
