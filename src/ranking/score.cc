#include "ranking/score.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/digits.h"

namespace standings::ranking {
namespace {

using base::Error;
using base::ErrorCode;

// No text that fits in memory holds so many digits, so an exponent cut to this still says on which
// side of every bound the number lies.
constexpr std::int64_t kLargestExponent = 1'000'000'000'000'000;
// Digits of kMaxUnits: a number with more significant ones is too large or too fine.
constexpr std::int64_t kMaxSignificant = 16;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// A number as digits[first..last) of the text times a power of ten; the digits may hold one point.
struct Decimal {
    bool negative = false;
    std::uint64_t significant = 0;       // without zeros at either end, while it fits
    std::int64_t significant_count = 0;  // how many digits those are
    std::int64_t exponent = 0;           // value = significant * 10^exponent
};

// Takes the text apart by JSON's grammar, one character at a time.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    std::optional<Decimal> read() {
        decimal_.negative = take('-');
        if (!take_integer()) return std::nullopt;
        if (take('.') && !take_fraction()) return std::nullopt;
        if ((take('e') || take('E')) && !take_exponent()) return std::nullopt;
        if (!rest_.empty()) return std::nullopt;
        // Digits held back as possible trailing zeros are exactly that now.
        decimal_.exponent += zeros_;
        if (decimal_.significant_count == 0) decimal_.exponent = 0;
        return decimal_;
    }

  private:
    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    bool take_integer() {
        if (rest_.empty() || !is_digit(rest_.front())) return false;
        if (take('0')) return rest_.empty() || !is_digit(rest_.front());
        while (!rest_.empty() && is_digit(rest_.front())) take_digit();
        return true;
    }

    bool take_fraction() {
        const std::size_t before = rest_.size();
        while (!rest_.empty() && is_digit(rest_.front())) {
            take_digit();
            --decimal_.exponent;
        }
        return rest_.size() < before;
    }

    bool take_exponent() {
        const bool negative = take('-');
        if (!negative) take('+');
        if (rest_.empty()) return false;
        std::int64_t exponent = 0;
        for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1)) {
            exponent = std::min(exponent * 10 + (rest_.front() - '0'), kLargestExponent);
        }
        decimal_.exponent += negative ? -exponent : exponent;
        return rest_.empty();
    }

    void take_digit() {
        const char digit = rest_.front();
        rest_.remove_prefix(1);
        if (digit == '0') {
            if (decimal_.significant_count > 0) ++zeros_;
            return;
        }
        decimal_.significant_count += zeros_ + 1;
        if (decimal_.significant_count <= kMaxSignificant) {
            for (; zeros_ > 0; --zeros_) decimal_.significant *= 10;
            decimal_.significant =
                decimal_.significant * 10 + static_cast<std::uint64_t>(digit - '0');
        }
        zeros_ = 0;
    }

    std::string_view rest_;
    Decimal decimal_;
    std::int64_t zeros_ = 0;  // zeros read since the last other digit
};

Error too_large() {
    return {ErrorCode::kInvalid,
            "The number is too large: a score holds up to 9007199254740991 units of its last "
            "decimal."};
}

Error too_fine(std::uint8_t decimals) {
    if (decimals == 0) return {ErrorCode::kInvalid, "The number must be whole."};
    return {ErrorCode::kInvalid, "The number has more than " + std::to_string(decimals) +
                                     (decimals == 1 ? " decimal." : " decimals.")};
}

}  // namespace

base::Result<std::int64_t> parse_units(std::string_view number, std::uint8_t decimals) {
    DCHECK(decimals <= kMaxDecimals);
    const std::optional<Decimal> decimal = Reader(number).read();
    if (!decimal) return Error{ErrorCode::kInvalid, "A score is a number like 12, -3.5 or 1e6."};
    if (decimal->significant_count == 0) return 0;

    // In units of the last decimal; the significant digits do not end in a zero.
    const std::int64_t exponent = decimal->exponent + decimals;
    if (exponent < 0) return too_fine(decimals);
    if (decimal->significant_count + exponent > kMaxSignificant) return too_large();
    std::uint64_t units = decimal->significant;
    for (std::int64_t i = 0; i < exponent; ++i) units *= 10;
    if (units > static_cast<std::uint64_t>(kMaxUnits)) return too_large();
    const auto value = static_cast<std::int64_t>(units);
    return decimal->negative ? -value : value;
}

char* write_units(char* out, std::int64_t units, std::uint8_t decimals) {
    DCHECK(decimals <= kMaxDecimals);
    // The unsigned negation is right for INT64_MIN too.
    const auto bits = static_cast<std::uint64_t>(units);
    const std::uint64_t magnitude = units < 0 ? 0 - bits : bits;
    if (units < 0) *out++ = '-';
    if (decimals == 0) return base::write_digits(out, magnitude);

    std::uint64_t scale = 1;
    for (std::uint8_t i = 0; i < decimals; ++i) scale *= 10;
    out = base::write_digits(out, magnitude / scale);
    const std::uint64_t fraction = magnitude % scale;
    if (fraction == 0) return out;
    *out++ = '.';
    // A 1 in front keeps the zeros behind the point.
    char digits[base::kMaxDigits];
    base::write_digits(digits, scale + fraction);
    out = std::copy_n(digits + 1, decimals, out);
    while (out[-1] == '0') --out;
    return out;
}

void append_units(std::string& out, std::int64_t units, std::uint8_t decimals) {
    char text[kMaxScoreText];
    out.append(text, write_units(text, units, decimals));
}

}  // namespace standings::ranking
