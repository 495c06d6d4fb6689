// Numbers in base 32, for what only we read: cursors and tags.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace standings::text {

// As std::to_chars writes it with base 32, which divides once a digit.
inline void append_base32(std::string& out, std::uint64_t number) {
    std::array<char, 13> digits{};
    char* const end = digits.data() + digits.size();
    char* at = end;
    do {
        *--at = "0123456789abcdefghijklmnopqrstuv"[number & 31];
        number >>= 5;
    } while (number != 0);
    out.append(at, end);
}

inline void append_base32(std::string& out, std::int64_t number) {
    const auto bits = static_cast<std::uint64_t>(number);
    if (number < 0) out += '-';
    append_base32(out, number < 0 ? 0 - bits : bits);
}

}  // namespace standings::text
