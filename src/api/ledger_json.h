// Submissions as the ledger keeps them, and a player's history, as JSON.
#pragma once

#include <string>
#include <string_view>

#include "engine/ledger_queries.h"

namespace standings::api {

void append_ledger_page(std::string& out, std::string_view board, std::string_view epoch,
                        const engine::LedgerPage& page);
void append_history(std::string& out, std::string_view board, std::string_view epoch,
                    const engine::History& history);

}  // namespace standings::api
