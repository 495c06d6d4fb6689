#include "api/view_answers.h"

namespace standings::api {

std::string_view cache_rule(const ledger::BoardConfig& config) {
    return config.visibility == ledger::Visibility::kPublic
               ? "Cache-Control: public, max-age=1, stale-while-revalidate=5\r\n"
               : "Cache-Control: private, no-cache\r\n";
}

std::string name_of_view(const Call& call, bool with_meta) {
    std::string name(call.request.target);
    if (with_meta) name += "#meta";
    return name;
}

std::string view_headers(std::string_view etag, const ledger::BoardConfig& config) {
    std::string headers = "ETag: ";
    headers += etag;
    headers += "\r\n";
    headers += cache_rule(config);
    return headers;
}

bool answer_unchanged(Call& call, const engine::HostedBoard& board, std::string_view view) {
    if (call.request.if_none_match.empty()) return false;
    std::string etag;
    append_etag(etag, call.service().engine.epoch(), board.seq(), view);
    if (!etag_matches(call.request.if_none_match, etag)) return false;
    call.reply.empty(304, "ETag: " + etag + "\r\nCache-Control: no-cache\r\n");
    return true;
}

}  // namespace standings::api
