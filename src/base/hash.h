// Checksums and hashes. A checksum finds damage; a keyed hash finds equality. Neither is a secret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/ids.h"

namespace standings::base {

// CRC-32C (Castagnoli), with the CPU's instruction where it has one. `seed` is the CRC of what came
// before. ~0.1 ns a byte.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0);
std::uint32_t crc32c(std::string_view text, std::uint32_t seed = 0);

// XXH3 with a seed: fast and well spread, not for secrets.
std::uint64_t hash64(std::string_view text, std::uint64_t seed = 0);
Hash128 hash128(std::string_view text, std::uint64_t seed = 0);

// The next value of the ledger's chain: depends on every row before it, in order.
std::uint64_t chain_after(std::uint64_t chain, std::uint32_t row_checksum);

}  // namespace standings::base
