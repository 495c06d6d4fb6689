#include "api/cursor_text.h"

#include <charconv>

#include "text/base32.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

// "n" (after) or "p" (before), then the numbers in base 32, parted by dots.
constexpr int kBase = 32;

template <class Number>
bool take_base32(std::string_view& text, Number& number) {
    if (!text.starts_with('.')) return false;
    const char* end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data() + 1, end, number, kBase);
    if (failure != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    return true;
}

}  // namespace

void append_cursor(std::string& out, engine::Cursor::Direction direction, const ranking::Row& row,
                   std::size_t columns) {
    out += direction == engine::Cursor::Direction::kAfter ? 'n' : 'p';
    out += '.';
    text::append_base32(out, row.reached_seq.value);
    for (std::size_t i = 0; i < columns; ++i) {
        out += '.';
        text::append_base32(out, row.scores.units[i]);
    }
}

Result<engine::Cursor> parse_cursor(std::string_view text, std::size_t columns) {
    const Error no_cursor{ErrorCode::kInvalid,
                          "`cursor` is not one of this board. Take it from `next_cursor` or "
                          "`prev_cursor` of a page."};
    if (!text.starts_with('n') && !text.starts_with('p')) return no_cursor;
    engine::Cursor cursor;
    cursor.direction =
        text[0] == 'n' ? engine::Cursor::Direction::kAfter : engine::Cursor::Direction::kBefore;
    text.remove_prefix(1);
    if (!take_base32(text, cursor.reached_seq.value)) return no_cursor;
    if (cursor.reached_seq.value >= base::kMaxSequence) return no_cursor;
    for (std::size_t i = 0; i < columns; ++i) {
        std::int64_t& units = cursor.scores.units[i];
        if (!take_base32(text, units)) return no_cursor;
        if (units > ranking::kMaxUnits || units < -ranking::kMaxUnits) return no_cursor;
    }
    if (!text.empty()) return no_cursor;
    return cursor;
}

}  // namespace standings::api
