#include "api/routes.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace standings::api {
namespace {

// A route's path taken apart once.
struct SplitRoute {
    const Route* route;
    std::array<std::string_view, Target::kMaxSegments> segments;  // empty: any
};
using SplitRoutes = std::array<std::vector<SplitRoute>, Target::kMaxSegments + 1>;  // by length

SplitRoutes split_routes() {
    SplitRoutes split;
    for (const auto& routes : all_routes()) {
        for (const Route& route : routes) {
            SplitRoute one{&route, {}};
            std::size_t count = 0;
            std::string_view rest = route.path.substr(1);
            while (!rest.empty()) {
                const std::string_view segment = rest.substr(0, rest.find('/'));
                one.segments[count++] = segment.starts_with('{') ? std::string_view{} : segment;
                rest.remove_prefix(std::min(rest.size(), segment.size() + 1));
            }
            split[count].push_back(one);
        }
    }
    return split;
}

bool matches(const SplitRoute& route, const Target& target) {
    for (std::size_t i = target.segment_count(); i-- > 0;) {
        const std::string_view wanted = route.segments[i];
        const std::string_view segment = target.segment(i);
        if (wanted.empty() ? segment.empty() : wanted != segment) return false;
    }
    return true;
}

constexpr std::uint8_t bit(net::Method method) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(method));
}

}  // namespace

std::span<const std::span<const Route>> all_routes() {
    // The hottest first.
    static const std::array kAll = {player_routes(),  submission_routes(), standings_routes(),
                                    board_routes(),   players_routes(),    feed_routes(),
                                    ledger_routes(),  stats_routes(),      export_routes(),
                                    job_routes(),     service_routes(),    page_routes(),
                                    classic_routes(), live_routes()};
    return kAll;
}

Match find_route(net::Method method, const Target& target) {
    static const SplitRoutes kRoutes = split_routes();
    const net::Method wanted = method == net::Method::kHead ? net::Method::kGet : method;
    Match match;
    for (const SplitRoute& split : kRoutes[target.segment_count()]) {
        if (!matches(split, target)) continue;
        match.path_known = true;
        match.methods |= bit(split.route->method);
        if (split.route->method == wanted) {
            match.route = split.route;
            return match;
        }
    }
    return match;
}

std::string allow_list(std::uint8_t methods) {
    std::string list;
    const auto add = [&list](std::string_view name) {
        if (!list.empty()) list += ", ";
        list += name;
    };
    if ((methods & bit(net::Method::kGet)) != 0) {
        add("GET");
        add("HEAD");
    }
    if ((methods & bit(net::Method::kPost)) != 0) add("POST");
    if ((methods & bit(net::Method::kPut)) != 0) add("PUT");
    if ((methods & bit(net::Method::kPatch)) != 0) add("PATCH");
    if ((methods & bit(net::Method::kDelete)) != 0) add("DELETE");
    add("OPTIONS");
    return list;
}

}  // namespace standings::api
