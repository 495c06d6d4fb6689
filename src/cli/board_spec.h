// A board as the command line describes it, made into the API's JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace standings::cli {

// What was said; the server has a default for the rest.
struct BoardSpec {
    std::optional<std::string> title;
    std::optional<std::string> rule;
    std::optional<std::string> ties;
    std::optional<std::string> visibility;
    std::optional<bool> public_meta;
    std::vector<std::string> columns;  // "name[:asc|desc][:decimals]", in order
    std::vector<std::string> limits;   // "[column=]min..max" with either end left out, or "none"

    bool says_nothing() const;
};

// Reads the short form "rule:column,column...", a column as above: "sum:points,goals_for",
// "best:time:asc:3", "last". Fails with kSettings.
base::Result<void> read_short_form(std::string_view text, BoardSpec& spec);

// {"id":...} of a new board. Fails with kSettings where a column or limit cannot be read; what the
// values may be is the server's to say.
base::Result<std::string> new_board_json(std::string_view id, const BoardSpec& spec);

// The merge patch for a board that has columns of these names now.
base::Result<std::string> board_patch_json(const BoardSpec& spec,
                                           const std::vector<std::string>& column_names);

// The text of a JSON number; false for "+1", "1,000", "0x10".
bool is_json_number(std::string_view text);

}  // namespace standings::cli
