#include "api/assets.h"

#include <array>

// Laid down by assets.S.
extern "C" {
extern const char standings_board_page_html[];
extern const char standings_board_page_html_end[];
extern const char standings_board_page_css[];
extern const char standings_board_page_css_end[];
extern const char standings_board_page_js[];
extern const char standings_board_page_js_end[];
}

namespace standings::api {

std::string_view board_page() {
    return {standings_board_page_html, standings_board_page_html_end};
}

std::span<const Asset> assets() {
    static const std::array kAssets = {
        Asset{"board_page.css",
              "text/css; charset=utf-8",
              {standings_board_page_css, standings_board_page_css_end}},
        Asset{"board_page.js",
              "text/javascript; charset=utf-8",
              {standings_board_page_js, standings_board_page_js_end}},
    };
    return kAssets;
}

}  // namespace standings::api
