#include "api/view_answers.h"

#include <string>
#include <utility>

namespace standings::api {

bool with_credential(const Call& call) {
    return !call.request.authorization.empty();
}

std::string_view cache_rule(const ledger::BoardConfig& config, bool with_credential) {
    return config.visibility == ledger::Visibility::kPublic && !with_credential
               ? "Cache-Control: public, max-age=1, stale-while-revalidate=5\r\n"
                 "Vary: Authorization\r\n"
               : "Cache-Control: private, no-cache\r\nVary: Authorization\r\n";
}

std::string_view view_headers(LoopTools& tools, base::Sequence seq, ViewId view,
                              const ledger::BoardConfig& config, bool with_credential) {
    std::string& headers = tools.view_headers;
    headers.assign("ETag: ");
    append_etag(headers, tools.service.engine.epoch(), seq, view);
    headers += "\r\n";
    headers += cache_rule(config, with_credential);
    return headers;
}

bool answer_unchanged(Call& call, const engine::HostedBoard& board, ViewId view) {
    // "*" asks whether there is a view at all, which is not known before it is read.
    if (call.request.if_none_match.empty() || call.request.if_none_match == "*") return false;
    const auto [config, seq] = board.read(
        [](const engine::HostedBoard::View& look) { return std::pair(look.config, look.seq()); });
    std::string etag;
    append_etag(etag, call.service().engine.epoch(), seq, view);
    if (!etag_matches(call.request.if_none_match, etag)) return false;
    call.reply.empty(304, view_headers(call.tools(), seq, view, *config, with_credential(call)));
    return true;
}

void answer_any(Reply& reply, const engine::Page& page, ViewId view, bool with_credential) {
    reply.empty(304, view_headers(reply.tools(), page.seq, view, *page.config, with_credential));
}

base::Result<void> check_period(const Call& call) {
    if (call.target.parameter("period").value_or("all") == "all") return {};
    return base::Error{base::ErrorCode::kInvalid, "The board has the period `all` only.",
                       "?period"};
}

}  // namespace standings::api
