// Between bytes and routes: credentials, the route table, min_seq, CORS, and problems.
#pragma once

#include <memory>
#include <string>

#include "api/service.h"
#include "net/http.h"
#include "net/server.h"

namespace standings::api {

// One per loop. `service` outlives it.
std::unique_ptr<net::Handler> make_handler(Service& service, net::Loop& loop);

}  // namespace standings::api
