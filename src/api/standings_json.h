// Standings, pages and receipts as JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/operation.h"
#include "engine/queries.h"
#include "ledger/records.h"
#include "ranking/board.h"

namespace standings::api {

// "score":12 or "scores":{...}
void append_scores(std::string& out, const ledger::BoardConfig& config,
                   const ranking::Scores& scores);

// {"rank":7,"position":7,"player":"u_9","name":"Lena","score":83401,"reached_at":"..."}
// `meta` goes out where the board makes it public, or `with_meta` says that the caller may see it.
void append_row(std::string& out, const ledger::BoardConfig& config, const ranking::Row& row,
                std::string_view player, const ledger::Details* details, bool with_meta = false);
void append_rows(std::string& out, const engine::Page& page, bool with_meta);

// "board":"speedrun","period":"all","epoch":"k3","seq":90412,"total":15873
void append_position(std::string& out, std::string_view board, std::string_view epoch,
                     base::Sequence seq, std::size_t total);

// A page of standings. With `cursors` the keyset cursors of both ends, where there is more.
void append_page(std::string& out, std::string_view board, std::string_view epoch,
                 const engine::Page& page, bool cursors, bool with_meta);

// The answer to one submission. `details` are of the row, or none.
void append_receipt(std::string& out, const engine::ChangeOutcome& outcome,
                    const engine::ReceiptReading& reading, std::string_view player,
                    const ledger::Details* details, std::string_view epoch);

std::string_view outcome_name(ranking::Outcome outcome);

}  // namespace standings::api
