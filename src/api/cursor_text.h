// Page cursors as the opaque texts that clients hand back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/queries.h"
#include "ranking/board.h"

namespace standings::api {

// URL-safe. Holds the direction, the scores and the reach seq of the row it points at.
void append_cursor(std::string& out, engine::Cursor::Direction direction, const ranking::Row& row,
                   std::size_t columns);

// kInvalid for what is not a cursor of a board with that many columns.
base::Result<engine::Cursor> parse_cursor(std::string_view text, std::size_t columns);

}  // namespace standings::api
