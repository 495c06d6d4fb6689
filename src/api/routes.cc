#include "api/routes.h"

#include <array>
#include <string>

namespace standings::api {
namespace {

bool matches(std::string_view pattern, const Target& target) {
    pattern.remove_prefix(1);
    std::size_t index = 0;
    while (!pattern.empty()) {
        const std::size_t slash = pattern.find('/');
        const std::string_view segment = pattern.substr(0, slash);
        if (index == target.segment_count()) return false;
        const bool any = segment.starts_with('{') && !target.segment(index).empty();
        if (!any && segment != target.segment(index)) return false;
        ++index;
        pattern.remove_prefix(slash == std::string_view::npos ? pattern.size() : slash + 1);
    }
    return index == target.segment_count();
}

constexpr std::uint8_t bit(net::Method method) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(method));
}

}  // namespace

std::span<const std::span<const Route>> all_routes() {
    // The hottest first.
    static const std::array kAll = {player_routes(),  submission_routes(), standings_routes(),
                                    board_routes(),   players_routes(),    ledger_routes(),
                                    stats_routes(),   export_routes(),     job_routes(),
                                    service_routes(), page_routes(),       classic_routes()};
    return kAll;
}

Match find_route(net::Method method, const Target& target) {
    const net::Method wanted = method == net::Method::kHead ? net::Method::kGet : method;
    Match match;
    for (const auto& routes : all_routes()) {
        for (const Route& route : routes) {
            if (!matches(route.path, target)) continue;
            match.path_known = true;
            match.methods |= bit(route.method);
            if (route.method == wanted) {
                match.route = &route;
                return match;
            }
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
