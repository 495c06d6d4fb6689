// Boards as JSON, in and out.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/hosted_board.h"
#include "ledger/records.h"
#include "text/json_document.h"

namespace standings::api {

// {"id":"speedrun","title":...}
struct NewBoard {
    std::string slug;
    ledger::BoardConfig config;
};
// Fails with kInvalid and a pointer.
base::Result<NewBoard> read_new_board(const text::JsonDocument& document,
                                      const text::JsonNode& root);

// JSON Merge Patch (RFC 7396) over `config`: null takes a member back to its default.
base::Result<ledger::BoardConfig> patch_board(const ledger::BoardConfig& config,
                                              std::string_view slug,
                                              const text::JsonDocument& document,
                                              const text::JsonNode& patch);

// The board resource.
void append_board(std::string& out, const engine::HostedBoard& board, std::string_view epoch);

}  // namespace standings::api
