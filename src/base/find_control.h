// Where a text has its next byte that is not to be passed on as it is.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace standings::base {

// The place of the first byte from `at` on that is a control character (below 0x20, or 0x7f) or one
// of `Others`; the text's size when there is none. Eight bytes at a time: most texts have none.
// Others are ASCII. After "Determine if a word has a byte equal to n", S. Anderson, Bit Twiddling
// Hacks.
template <unsigned char... Others>
std::size_t find_control(std::string_view text, std::size_t at) {
    static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHighBits = 0x80 * kOnes;
    // The high bit of a byte is set where it is a hit. A borrow can only come from a byte that is
    // itself a hit below, so the lowest hit is right.
    const auto below = [](std::uint64_t bytes, std::uint64_t n) {
        return (bytes - n * kOnes) & ~bytes & kHighBits;
    };
    for (; text.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, text.data() + at, sizeof bytes);
        std::uint64_t hits = below(bytes, 0x20) | below(bytes ^ (0x7f * kOnes), 1);
        ((hits |= below(bytes ^ (Others * kOnes), 1)), ...);
        if (hits != 0) return at + static_cast<std::size_t>(std::countr_zero(hits)) / 8;
    }
    const auto is_hit = [](unsigned char byte) {
        return byte < 0x20 || byte == 0x7f || ((byte == Others) || ...);
    };
    while (at < text.size() && !is_hit(static_cast<unsigned char>(text[at]))) ++at;
    return at;
}

}  // namespace standings::base
