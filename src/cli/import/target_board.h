// The board that an import fills.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/http_client.h"
#include "ranking/rules.h"

namespace standings::cli {

// The rules of a board in short (cli/board_spec.h), like "sum:points,goal_difference,goals_for" or
// "best:time:asc:2"; without columns the one is `score`. Fails with kSettings.
base::Result<ranking::Rules> parse_rules(std::string_view text);
// The same the other way round, every order and decimals written out.
std::string short_form_of(const ranking::Rules& rules);

struct TargetBoard {
    ranking::Rules rules;
    std::string life;  // another one after each reset, and of each board that had the name
};

// The board on the server; none when there is no such board.
base::Result<std::optional<TargetBoard>> fetch_board(HttpClient& client, const std::string& id);
// Makes the board. Fails with what the server says.
base::Result<TargetBoard> create_board(HttpClient& client, const std::string& id,
                                       const ranking::Rules& rules);

}  // namespace standings::cli
