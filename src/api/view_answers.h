// What all readings of one board share: its caching rules, ETag and 304.
#pragma once

#include <string>
#include <string_view>

#include "api/call.h"

namespace standings::api {

// A ready Cache-Control line.
std::string_view cache_rule(const ledger::BoardConfig& config);
// What an ETag stands for beside the seq: the same target shows more to who may see meta.
std::string name_of_view(const Call& call, bool with_meta);
// ETag and caching lines.
std::string view_headers(std::string_view etag, const ledger::BoardConfig& config);
// Answers 304 when the client has the view at the board's present seq.
bool answer_unchanged(Call& call, const engine::HostedBoard& board, std::string_view view);

}  // namespace standings::api
