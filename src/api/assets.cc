#include "api/assets.h"

// Laid down by assets.S.
extern "C" {
extern const char standings_board_page[];
extern const char standings_board_page_end[];
}

namespace standings::api {

std::string_view board_page() {
    return {standings_board_page, standings_board_page_end};
}

}  // namespace standings::api
