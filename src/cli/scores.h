// The commands `submit`, `top` and `rank`. Each gives the program's exit code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/listing.h"

namespace standings::cli {

struct SubmitOptions : CommandOptions {
    std::string board;
    std::string player;
    std::vector<std::string> scores;  // "12", or for several columns "3 2 5" or "points=3 ..."
    std::optional<std::string> name;
    std::optional<std::string> meta;  // a JSON object
    std::optional<std::string> occurred_at;
    std::optional<std::string> idempotency_key;  // made when not given
};
int submit_score(const SubmitOptions& options);

// How a board is seen as it changes.
struct WatchOptions {
    bool is_wanted = false;
    std::optional<std::uint32_t> rate;  // messages a second at most
};

struct TopOptions : CommandOptions {
    std::string board;
    std::size_t count = 20;
    std::size_t offset = 0;
    WatchOptions watch;
};
int show_top(const TopOptions& options);

struct RankOptions : CommandOptions {
    std::string board;
    std::string player;
    std::optional<std::size_t> around;  // neighbours on each side
    WatchOptions watch;
};
int show_rank(const RankOptions& options);

// What a row of a ranking shows, of a board with the columns `names`; the row stands at `at`
// ("row.") of what is listed.
std::vector<ListColumn> standings_columns(const std::vector<std::string>& names,
                                          const std::string& at = "");

// `"score":12` or `"scores":{...}` of a board with these columns. Fails with kSettings where an
// argument is no number, or they do not fit the columns.
base::Result<std::string> scores_member(const std::vector<std::string>& arguments,
                                        const std::vector<std::string>& columns);

}  // namespace standings::cli
