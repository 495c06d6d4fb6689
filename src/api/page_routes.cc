// Pages for people, from the binary: the boards, a board, and what a problem means.
#include <string>
#include <string_view>

#include "api/assets.h"
#include "api/problem.h"
#include "api/routes.h"

namespace standings::api {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kPageHeaders =
    "Cache-Control: no-cache\r\n"
    "Content-Security-Policy: default-src 'self'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n";

void get_page(Call& call) {
    call.reply.send(200, kHtml, board_page(), kPageHeaders);
}

void get_problem(Call& call) {
    const ProblemKind* kind = find_problem(call.target.segment(1));
    if (kind == nullptr) {
        return call.reply.problem(
            {base::ErrorCode::kRouteNotFound, "There is no problem of this name."});
    }
    std::string& body = call.tools().body;
    body.assign(
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content=\"width=device-width\"><title>");
    body += kind->title;
    body +=
        "</title><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem "
        "auto;padding:0 1rem;color-scheme:light dark}</style><p><code>";
    body += std::to_string(kind->status);
    body += ' ';
    body += kind->code;
    body += "</code><h1>";
    body += kind->title;
    body += "</h1><p>";
    body += kind->help;
    body += "\n";
    call.reply.send(200, kHtml, body, kPageHeaders);
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/", access::Scope::kNone, get_page},
    {net::Method::kGet, "/b/{board}", access::Scope::kNone, get_page},
    {net::Method::kGet, "/problems/{code}", access::Scope::kNone, get_problem},
};

}  // namespace

std::span<const Route> page_routes() {
    return kRoutes;
}

}  // namespace standings::api
