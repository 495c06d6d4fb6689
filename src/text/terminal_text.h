// Text from outside on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace standings::text {

// How many columns a terminal gives to `text`: two for wide characters, none for combining ones.
// An approximation where fonts differ (emoji sequences).
std::size_t columns_of(std::string_view text);

// `text` for a line of a terminal: whatever could steer it (control and direction characters, line
// ends, bytes that are not UTF-8) becomes `?`, and what exceeds `columns` (2 or more) is cut, with
// an ellipsis at the end.
std::string for_terminal(std::string_view text, std::size_t columns);

}  // namespace standings::text
