// Text from outside on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace standings::text {

// What a reader takes for one character, and how many columns a terminal gives to it.
struct Grapheme {
    std::string_view bytes;
    std::size_t columns;
};
// The first of a text that is not empty. Bytes that are not UTF-8 are one each.
Grapheme next_grapheme(std::string_view text);

// How many columns a terminal gives to `text`: two for wide letters and for emoji, also where one
// is put together of several; none for combining marks.
std::size_t columns_of(std::string_view text);

// `text` for a line of a terminal: whatever could steer it (control and direction characters, line
// ends, bytes that are not UTF-8) becomes `?`, and what exceeds `columns` (2 or more) is cut, with
// an ellipsis at the end.
std::string for_terminal(std::string_view text, std::size_t columns);

}  // namespace standings::text
