// The standings that were asked for in one round of a loop, read together.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "api/call.h"

namespace standings::api {

// One standing that was asked for.
struct StandingQuery {
    Reply reply;
    std::shared_ptr<engine::HostedBoard> board;
    std::string player;
    std::size_t neighbours;
    ViewId view;
    bool with_rows;
    bool with_meta;
    bool credential;
    bool any;  // `If-None-Match: *`: only whether there is one
};

// Promise: each query is answered before its loop waits again, as of the moment of its answer; no
// more wait than are read at once, and none with a long answer, for what is not made yet does not
// count as a connection's unread output. Of reads alone a later one may be answered as of an
// earlier moment; before a write the handler has all answered. Owner: a loop's tools. Thread: the
// loop's. A player on a large board is four misses of the cache one after the other; of several
// players they go on side by side.
class StandingRound {
  public:
    void add(StandingQuery query);
    void answer_all();

  private:
    std::vector<StandingQuery> waiting_;
};

}  // namespace standings::api
