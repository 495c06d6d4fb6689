// A view as server-sent events: `curl -N`, and EventSource in browsers.
#pragma once

#include <memory>

#include "api/call.h"
#include "live/hub.h"

namespace standings::api {

// Answers with a text/event-stream that lasts until the client, the board or the server goes.
void open_event_stream(Reply reply, live::Watch watch);

}  // namespace standings::api
