// Files that are part of the binary.
#pragma once

#include <span>
#include <string_view>

namespace standings::api {

struct Asset {
    std::string_view name;  // below /assets/
    std::string_view content_type;
    std::string_view bytes;
};

// The page at `/` and `/b/{board}`.
std::string_view board_page();
// What it loads.
std::span<const Asset> assets();

}  // namespace standings::api
