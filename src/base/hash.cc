#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <boost/crc.hpp>
#include <cstring>

namespace standings::base {
namespace {

std::uint32_t crc32c_portable(const unsigned char* bytes, std::size_t size, std::uint32_t crc) {
    // The reflected remainder of boost's type is the bitwise-reversed state that we keep.
    std::uint32_t reversed = 0;
    for (int bit = 0; bit < 32; ++bit) reversed |= ((~crc >> bit) & 1U) << (31 - bit);
    boost::crc_optimal<32, 0x1EDC6F41, 0, 0xFFFFFFFF, true, true> sum(reversed);
    sum.process_bytes(bytes, size);
    return static_cast<std::uint32_t>(sum.checksum());
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] std::uint32_t crc32c_sse42(const unsigned char* bytes, std::size_t size,
                                                     std::uint32_t crc) {
    std::uint64_t state = ~crc;
    for (; size >= 8; size -= 8, bytes += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes, 8);
        state = __builtin_ia32_crc32di(state, word);
    }
    auto narrow = static_cast<std::uint32_t>(state);
    for (; size > 0; --size, ++bytes) narrow = __builtin_ia32_crc32qi(narrow, *bytes);
    return ~narrow;
}
#endif

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) {
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
#if defined(__x86_64__)
    static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
    if (kHasInstruction) return crc32c_sse42(data, bytes.size(), seed);
#endif
    return crc32c_portable(data, bytes.size(), seed);
}

std::uint32_t crc32c(std::string_view text, std::uint32_t seed) {
    return crc32c(std::as_bytes(std::span(text)), seed);
}

std::uint64_t hash64(std::string_view text, std::uint64_t seed) {
    return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

Hash128 hash128(std::string_view text, std::uint64_t seed) {
    const XXH128_hash_t hash = XXH3_128bits_withSeed(text.data(), text.size(), seed);
    // {0, 0} is kept for "none"; the one input in 2^128 that meets it moves by one.
    if ((hash.high64 | hash.low64) == 0) return {0, 1};
    return {hash.high64, hash.low64};
}

std::uint64_t chain_after(std::uint64_t chain, std::uint32_t row_checksum) {
    // The finalizer of SplitMix64 (Steele, Lea, Flood 2014) over both.
    std::uint64_t x = chain * 0x9E3779B97F4A7C15ULL + row_checksum + 1;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

}  // namespace standings::base
