#include "api/view_answers.h"

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

std::string name_of_view(const Call& call, bool with_meta) {
    std::string name(call.request.target);
    if (with_meta) name += "#meta";
    return name;
}

std::string view_headers(std::string_view etag, const ledger::BoardConfig& config,
                         bool with_credential) {
    std::string headers = "ETag: ";
    headers += etag;
    headers += "\r\n";
    headers += cache_rule(config, with_credential);
    return headers;
}

bool answer_unchanged(Call& call, const engine::HostedBoard& board, std::string_view view) {
    // "*" asks whether there is a view at all, which is not known before it is read.
    if (call.request.if_none_match.empty() || call.request.if_none_match == "*") return false;
    std::string etag;
    append_etag(etag, call.service().engine.epoch(), board.seq(), view);
    if (!etag_matches(call.request.if_none_match, etag)) return false;
    const auto config =
        board.read([](const engine::HostedBoard::View& look) { return look.config; });
    call.reply.empty(304, view_headers(etag, *config, with_credential(call)));
    return true;
}

void answer_any(Call& call, const engine::Page& page, std::string_view view) {
    std::string etag;
    append_etag(etag, call.service().engine.epoch(), page.seq, view);
    call.reply.empty(304, view_headers(etag, *page.config, with_credential(call)));
}

base::Result<void> check_period(const Call& call) {
    if (call.target.parameter("period").value_or("all") == "all") return {};
    return base::Error{base::ErrorCode::kInvalid, "The board has the period `all` only.",
                       "?period"};
}

}  // namespace standings::api
