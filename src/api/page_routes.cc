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
    "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n";

void get_page(Call& call) {
    call.reply.send(200, kHtml, board_page(), kPageHeaders);
}

// The page is there for any board, and says itself when there is none; the status is for those that
// do not look at pages.
void get_board_page(Call& call) {
    const int status = call.board(call.target.segment(1)) ? 200 : 404;
    call.reply.send(status, kHtml, board_page(), kPageHeaders);
}

void get_asset(Call& call) {
    for (const Asset& asset : assets()) {
        if (asset.name != call.target.segment(1)) continue;
        return call.reply.send(200, asset.content_type, asset.bytes, "Cache-Control: no-cache\r\n");
    }
    call.reply.problem({base::ErrorCode::kRouteNotFound, "There is no file of this name."});
}

void get_problem(Call& call) {
    const ProblemKind* kind = find_problem(call.target.segment(1));
    if (kind == nullptr) {
        return call.reply.problem(
            {base::ErrorCode::kRouteNotFound, "There is no problem of this name."});
    }
    std::string& body = call.tools().body;
    body.assign(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
        "<link rel=\"stylesheet\" href=\"/assets/board_page.css\">\n<title>");
    body += kind->title;
    body += "</title>\n<main><p class=\"dim\"><code>";
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
    {net::Method::kGet, "/b/{board}", access::Scope::kNone, get_board_page},
    {net::Method::kGet, "/assets/{file}", access::Scope::kNone, get_asset},
    {net::Method::kGet, "/problems/{code}", access::Scope::kNone, get_problem},
};

}  // namespace

std::span<const Route> page_routes() {
    return kRoutes;
}

}  // namespace standings::api
