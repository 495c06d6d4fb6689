// The routes: one constexpr table per resource, concatenated.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "access/credentials.h"
#include "api/call.h"
#include "net/http.h"

namespace standings::api {

struct Route {
    net::Method method;
    std::string_view path;  // "{name}" takes any segment
    access::Scope scope;
    // Answers through call.reply, now or later on the loop's thread.
    void (*handle)(Call& call);
    // Any web page may read what it answers (GET of what is public).
    bool any_origin = false;
    // Query parameters that a write takes, parted by spaces; others are refused before it runs. A
    // read checks its own, some of which depend on the board.
    std::string_view parameters = {};
};

std::span<const Route> board_routes();
std::span<const Route> submission_routes();
std::span<const Route> feed_routes();
std::span<const Route> ledger_routes();
std::span<const Route> standings_routes();
std::span<const Route> player_routes();
std::span<const Route> export_routes();
std::span<const Route> stats_routes();
std::span<const Route> players_routes();
std::span<const Route> classic_routes();
std::span<const Route> live_routes();
std::span<const Route> job_routes();
std::span<const Route> service_routes();
std::span<const Route> page_routes();

// Every route there is.
std::span<const std::span<const Route>> all_routes();

struct Match {
    const Route* route = nullptr;  // none: no such path, or not with this method
    bool path_known = false;
    std::uint8_t methods = 0;  // bits 1 << Method, of the routes at this path
};
Match find_route(net::Method method, const Target& target);

// "GET, HEAD, OPTIONS"
std::string allow_list(std::uint8_t methods);

}  // namespace standings::api
