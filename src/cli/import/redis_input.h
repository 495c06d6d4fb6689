// A sorted set as something to import.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "cli/import/input.h"
#include "cli/import/progress.h"
#include "cli/import/redis_set.h"
#include "ranking/rules.h"

namespace standings::cli {

struct RedisInput {
    Input input;  // NDJSON of player and score, best first
    std::uint64_t members = 0;
    std::uint64_t rounded = 0;
};

// Reads the set, best first by the board's order, and spools it. Scores finer than the column fail
// the whole import before anything is sent, unless `decimals` says to round them.
base::Result<RedisInput> read_redis(const RedisAddress& address, const ranking::Rules& rules,
                                    std::optional<std::uint8_t> decimals, Progress& progress);

}  // namespace standings::cli
