// Pieces of JSON, appended to a text.
#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace standings::text {

// Quoted and escaped. `text` is UTF-8.
void append_json_string(std::string& out, std::string_view text);

template <std::integral Number>
void append_number(std::string& out, Number number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    out.append(digits, end);
}

// "/key", the step of a JSON pointer (RFC 6901) to a member that a client named.
std::string pointer_to(std::string_view key);

// "key":
inline void append_key(std::string& out, std::string_view key) {
    out += '"';
    out += key;
    out += "\":";
}

// "key":"text" for keys of ours.
inline void append_member(std::string& out, std::string_view key, std::string_view text) {
    append_key(out, key);
    append_json_string(out, text);
}

}  // namespace standings::text
