// What all readings of one board share: its caching rules, ETag and 304.
#pragma once

#include <string>
#include <string_view>

#include "api/call.h"

namespace standings::api {

bool with_credential(const Call& call);
// Ready Cache-Control and Vary lines. What a credential opens (private boards, meta) is for its
// holder alone, never for a shared cache.
std::string_view cache_rule(const ledger::BoardConfig& config, bool with_credential);
// ETag and caching lines, in a buffer of the loop: valid until the next call.
std::string_view view_headers(LoopTools& tools, base::Sequence seq, ViewId view,
                              const ledger::BoardConfig& config, bool with_credential);
// Answers 304 when the client has the view at the board's present seq.
bool answer_unchanged(Call& call, const engine::HostedBoard& board, ViewId view);
// 304 to "If-None-Match: *", of a view that there is.
void answer_any(Reply& reply, const engine::Page& page, ViewId view, bool with_credential);
// Periods other than all time are not there yet, and refused rather than ignored.
base::Result<void> check_period(const Call& call);

}  // namespace standings::api
