// Small questions about the text of a request's head.
#pragma once

#include <string_view>

namespace standings::net {

// `lower` is in lower case; ASCII only.
bool equals_ignoring_case(std::string_view text, std::string_view lower);

// uri-host [ ":" port ], not empty: what may stand in a Host field.
bool is_authority(std::string_view text);

// The first line of `head` has three words, the last of which is HTTP/ DIGIT "." DIGIT.
bool names_version(std::string_view head);

}  // namespace standings::net
