// Files that are part of the binary.
#pragma once

#include <string_view>

namespace standings::api {

// The page at `/` and `/b/{board}`.
std::string_view board_page();

}  // namespace standings::api
