// A number in decimal digits.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace standings::base {

// The digits of the largest number.
inline constexpr std::size_t kMaxDigits = 20;

// Of a number below 100,000,000, as text with zeros in front, the first digit in the lowest byte.
// Four digits are parted to two pairs, the pairs to digits, all of them at once: after P. Khuong,
// "How to print integers really fast" (2017).
inline std::uint64_t eight_digits(std::uint32_t number) {
    const std::uint64_t fours = number / 10'000 | std::uint64_t{number % 10'000} << 32;
    // 10,486 / 2^20 is a hundredth for what is below 10,000, and 103 / 2^10 a tenth for what is
    // below 100.
    const std::uint64_t hundreds = fours * 10'486 >> 20 & 0x0000'007f'0000'007f;
    const std::uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16;
    const std::uint64_t tens = pairs * 103 >> 10 & 0x000f'000f'000f'000f;
    return (tens | (pairs - 10 * tens) << 8) | 0x3030'3030'3030'3030;
}

// Writes the digits and answers their end. `out` has room for kMaxDigits: bytes behind the end may
// be written too. std::to_chars counts the digits before it writes them; a row of a ranking is half
// digits.
inline char* write_digits(char* out, std::uint64_t number) {
    static_assert(std::endian::native == std::endian::little, "the first digit is the lowest byte");
    constexpr std::uint64_t kEight = 100'000'000;
    if (number >= kEight) {
        out = write_digits(out, number / kEight);
        const std::uint64_t digits = eight_digits(static_cast<std::uint32_t>(number % kEight));
        std::memcpy(out, &digits, sizeof digits);
        return out + sizeof digits;
    }
    const std::uint64_t digits = eight_digits(static_cast<std::uint32_t>(number));
    // The last digit is written even where it is zero.
    constexpr std::uint64_t kLast = std::uint64_t{1} << 56;
    const auto zeros =
        static_cast<unsigned>(std::countr_zero((digits & 0x0f0f'0f0f'0f0f'0f0f) | kLast)) / 8;
    const std::uint64_t shown = digits >> 8 * zeros;
    std::memcpy(out, &shown, sizeof shown);
    return out + (sizeof shown - zeros);
}

}  // namespace standings::base
