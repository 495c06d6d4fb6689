#include "text/terminal_text.h"

#include <utf8proc.h>

namespace standings::text {
namespace {

constexpr std::string_view kEllipsis = "…";
constexpr utf8proc_int32_t kEmojiStyle = 0xFE0F;
constexpr utf8proc_int32_t kReplacement = 0xFFFD;

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

// One `?` for each character of `text` that steers; empty: none does.
std::string marks_for(std::string_view text) {
    std::string marks;
    std::string_view bytes;
    while (!text.empty()) {
        if (steers(take(text, bytes))) marks += '?';
    }
    return marks;
}

}  // namespace

Grapheme next_grapheme(std::string_view text) {
    std::string_view rest = text;
    std::size_t size = 0;
    std::size_t columns = 0;
    bool is_wide = false;
    utf8proc_int32_t before = -1;
    utf8proc_int32_t state = 0;
    while (!rest.empty()) {
        std::string_view bytes;
        const auto read = take(rest, bytes);
        const utf8proc_int32_t c = read < 0 ? kReplacement : read;
        if (before >= 0 && utf8proc_grapheme_break_stateful(before, c, &state)) break;
        const auto own = static_cast<std::size_t>(utf8proc_charwidth(c));
        // What begins wide, or asks for the look of an emoji, takes two columns however much of it
        // there is: families, flags, skin tones, syllables of Hangul.
        if ((before < 0 && own == 2) || c == kEmojiStyle) is_wide = true;
        columns += own;
        size += bytes.size();
        before = c;
    }
    return {text.substr(0, size), is_wide ? 2 : columns};
}

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Grapheme grapheme = next_grapheme(text);
        columns += grapheme.columns;
        text.remove_prefix(grapheme.bytes.size());
    }
    return columns;
}

std::string for_terminal(std::string_view text, std::size_t columns) {
    std::string out;
    std::size_t used = 0;
    std::size_t fits = 0;  // bytes of `out` after which there is still room for the ellipsis
    // A column holds few combining characters; more are there to harm.
    const std::size_t most_bytes = columns * 16;
    while (!text.empty()) {
        const Grapheme grapheme = next_grapheme(text);
        text.remove_prefix(grapheme.bytes.size());
        const std::string marks = marks_for(grapheme.bytes);
        const std::string_view bytes = marks.empty() ? grapheme.bytes : marks;
        const std::size_t width = marks.empty() ? grapheme.columns : marks.size();
        if (used + width > columns || out.size() + bytes.size() > most_bytes) {
            out.resize(fits);
            out += kEllipsis;
            return out;
        }
        used += width;
        out += bytes;
        if (used + 1 <= columns) fits = out.size();
    }
    return out;
}

}  // namespace standings::text
