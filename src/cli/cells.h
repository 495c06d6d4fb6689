// Text as a terminal shows it: cut to its cells, and so that it can do no harm there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace standings::cli {

// Safe to show: control characters, and those that turn the writing direction or are not UTF-8,
// become "\u001b" and the like.
std::string printable(std::string_view text);

// The same with its line ends.
std::string printable_lines(std::string_view text);

// JSON text with the same care: still JSON, and still of the same value.
std::string printable_json(std::string_view json);

// At most `cells` wide, which is at least 1; what is cut ends in an ellipsis, and no grapheme is
// torn.
std::string shortened(std::string_view whole, std::size_t cells);

// In isolation (FSI ... PDI) where it holds letters that run from right to left, so that they do
// not turn the cells beside it around.
std::string isolated(std::string text);

}  // namespace standings::cli
