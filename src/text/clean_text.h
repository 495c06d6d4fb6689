// What texts from outside may hold.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace standings::text {

bool is_utf8(std::string_view text);
// `text` with a replacement character for each byte that is no UTF-8.
std::string as_utf8(std::string_view text);

// `[a-z0-9][a-z0-9_-]{0,62}`
bool is_slug(std::string_view text);
// 1-128 bytes of `[A-Za-z0-9._:@-]`
bool is_player_id(std::string_view text);

// NFC, at most `max_graphemes`, neither control nor bidi-override characters, and something to see.
// Fails with kInvalid. Plain ASCII costs nothing but a look.
base::Result<std::string> clean_name(std::string_view text, std::size_t max_graphemes);

}  // namespace standings::text
