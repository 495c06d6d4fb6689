#include "text/json_writer.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace standings::text {
namespace {

constexpr bool needs_escape(char c) {
    // '<' too, so that no answer that is shown as a page can begin a tag.
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == '<' || c == 0x7F;
}

// The place of the first byte from `at` on that needs an escape, or the size. Eight at a time: most
// texts have none.
std::size_t find_escape(std::string_view text, std::size_t at) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHighBits = 0x80 * kOnes;
    for (; text.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, text.data() + at, sizeof bytes);
        // The high bit of a byte is set where it is a hit. A borrow can only come from a byte that
        // is itself a hit below, so the lowest hit is right.
        std::uint64_t hits = (bytes - 0x20 * kOnes) & ~bytes;
        for (const std::uint64_t c : {0x22U, 0x5CU, 0x3CU, 0x7FU}) {  // " \ < and delete
            const std::uint64_t same = bytes ^ (c * kOnes);
            hits |= (same - kOnes) & ~same;
        }
        hits &= kHighBits;
        if (hits != 0) return at + static_cast<std::size_t>(std::countr_zero(hits)) / 8;
    }
    while (at < text.size() && !needs_escape(text[at])) ++at;
    return at;
}
static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");

void append_escaped(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\t':
            out += "\\t";
            return;
        case '\r':
            out += "\\r";
            return;
        default:
            break;
    }
    constexpr char kHex[] = "0123456789abcdef";
    out += "\\u00";
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[c & 0xF];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t escape = find_escape(text, at);
        out.append(text, at, escape - at);
        if (escape < text.size()) append_escaped(out, text[escape]);
        at = escape + 1;
    }
    out += '"';
}

std::string pointer_to(std::string_view key) {
    std::string pointer = "/";
    for (const char c : key) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
    return pointer;
}

}  // namespace standings::text
