// One client on /v1/live: its credential, what it watches, and what it hears.
#pragma once

#include "api/call.h"

namespace standings::api {

// Upgrades the request to a WebSocket with the protocol of docs/live.md; what is no upgrade is 426.
void open_live_socket(Call& call);

}  // namespace standings::api
