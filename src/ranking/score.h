// Scores are exact: fixed point with the column's decimals, as whole units of the last decimal.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace standings::ranking {

inline constexpr std::size_t kMaxColumns = 4;
inline constexpr std::uint8_t kMaxDecimals = 6;
// What a double holds exactly, so that no client in any language rounds a score.
inline constexpr std::int64_t kMaxUnits = (std::int64_t{1} << 53) - 1;

// The columns of one score, in the board's order; columns that the board does not have are 0.
struct Scores {
    std::array<std::int64_t, kMaxColumns> units{};
    friend constexpr auto operator<=>(const Scores&, const Scores&) = default;
};

// Reads a JSON number's text ("1.50", "15e-1", "-0") into units. Fails (kInvalid) with a sentence
// when the text needs more decimals than the column has, or lies beyond kMaxUnits. Never goes
// through a double; the time is bounded by the text, whatever the exponent.
base::Result<std::int64_t> parse_units(std::string_view number, std::uint8_t decimals);

// Writes units as the shortest JSON number: no trailing zeros, no "-0", no exponent. The first one
// writes kMaxScoreText bytes at most and answers the end.
inline constexpr std::size_t kMaxScoreText = 24;
char* write_units(char* out, std::int64_t units, std::uint8_t decimals);
void append_units(std::string& out, std::int64_t units, std::uint8_t decimals);

}  // namespace standings::ranking
