#include "text/terminal_text.h"

#include <utf8proc.h>

namespace standings::text {
namespace {

constexpr std::string_view kEllipsis = "…";

// The next character, and its bytes taken from `text`; -1 for a byte that is not UTF-8.
utf8proc_int32_t take(std::string_view& text, std::string_view& bytes) {
    utf8proc_int32_t c = 0;
    const auto used = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &c);
    const std::size_t size = used > 0 ? static_cast<std::size_t>(used) : 1;
    bytes = text.substr(0, size);
    text.remove_prefix(size);
    return used > 0 ? c : -1;
}

bool steers(utf8proc_int32_t c) {
    constexpr utf8proc_int32_t kJoiner = 0x200D;
    constexpr utf8proc_int32_t kNonJoiner = 0x200C;
    if (c < 0) return true;
    switch (utf8proc_category(c)) {
        case UTF8PROC_CATEGORY_CC:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP:
        case UTF8PROC_CATEGORY_CS:
        case UTF8PROC_CATEGORY_CN:
        case UTF8PROC_CATEGORY_CO:
            return true;
        case UTF8PROC_CATEGORY_CF:
            // Scripts and emoji need these two; all others are invisible and may turn the line.
            return c != kJoiner && c != kNonJoiner;
        default:
            return false;
    }
}

std::size_t width_of(utf8proc_int32_t c) {
    const int width = utf8proc_charwidth(c);
    return width > 0 ? static_cast<std::size_t>(width) : 0;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    std::string_view bytes;
    while (!text.empty()) {
        const auto c = take(text, bytes);
        columns += c < 0 ? 1 : width_of(c);
    }
    return columns;
}

std::string for_terminal(std::string_view text, std::size_t columns) {
    std::string out;
    std::size_t used = 0;
    std::size_t fits = 0;  // bytes of `out` after which there is still room for the ellipsis
    std::string_view bytes;
    // A column holds few combining characters; more are there to harm.
    const std::size_t most_bytes = columns * 16;
    while (!text.empty()) {
        const auto c = take(text, bytes);
        const bool bad = steers(c);
        const std::size_t width = bad ? 1 : width_of(c);
        if (used + width > columns || out.size() + bytes.size() > most_bytes) {
            out.resize(fits);
            out += kEllipsis;
            return out;
        }
        used += width;
        out += bad ? "?" : bytes;
        if (used + 1 <= columns) fits = out.size();
    }
    return out;
}

}  // namespace standings::text
