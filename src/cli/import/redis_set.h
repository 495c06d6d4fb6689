// A sorted set of a Redis or Valkey server. The one place that knows hiredis.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace standings::cli {

struct RedisAddress {
    std::string host;
    std::uint16_t port = 6379;
    std::string user;
    std::string password;
    std::uint32_t database = 0;
    std::string key;
};
// redis://[[user]:password@]host[:port][/database]/key, each part percent-decoded. Fails with
// kSettings; the sentence does not hold the password.
base::Result<RedisAddress> parse_redis_address(std::string_view text);

struct RedisMember {
    std::string member;
    double score = 0;
};
enum class RedisOrder : std::uint8_t { kHighestFirst, kLowestFirst };

// All members, each once, in the order of ZREVRANGE (score, then member by bytes, both falling) or
// of ZRANGE. The set may change meanwhile: a member that is there all the time is found, with one
// of the scores it had. `tick(found, of)` is called now and then, and stops the reading with false
// (kDraining). Fails with kIo. ~100 bytes of memory a member.
base::Result<std::vector<RedisMember>> fetch_sorted_set(
    const RedisAddress& address, RedisOrder order,
    const std::function<bool(std::uint64_t, std::uint64_t)>& tick);

// The shortest decimal text that is exactly this double: never with an exponent.
std::string shortest_decimal(double value);
// A decimal text rounded to `decimals`, halves away from zero.
std::string round_decimal(std::string_view text, std::uint8_t decimals);

}  // namespace standings::cli
