#include "text/clean_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace standings::text {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

// More bytes than this a grapheme cannot honestly need; a bound before any work is done.
constexpr std::size_t kMaxBytesPerGrapheme = 32;

bool is_bidi_override(utf8proc_int32_t c) {
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E ||
           c == 0x200F || c == 0x061C;
}

bool is_control(utf8proc_int32_t c) {
    const auto category = utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP || category == UTF8PROC_CATEGORY_CS ||
           category == UTF8PROC_CATEGORY_CN;
}

Error invalid(std::string detail) {
    return {ErrorCode::kInvalid, std::move(detail)};
}

Error too_long(std::size_t max_graphemes) {
    return invalid("The text is longer than " + std::to_string(max_graphemes) + " characters.");
}

}  // namespace

bool is_utf8(std::string_view text) {
    const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    auto left = static_cast<utf8proc_ssize_t>(text.size());
    while (left > 0) {
        utf8proc_int32_t c = 0;
        const auto used = utf8proc_iterate(at, left, &c);
        if (used <= 0) return false;
        at += used;
        left -= used;
    }
    return true;
}

std::string as_utf8(std::string_view text) {
    if (is_utf8(text)) return std::string(text);
    std::string out;
    while (!text.empty()) {
        // The longest sequence that is a character; four bytes at most.
        std::size_t size = std::min<std::size_t>(text.size(), 4);
        while (size > 0 && !is_utf8(text.substr(0, size))) --size;
        if (size == 0) {
            out += "\uFFFD";
            size = 1;
        } else {
            out += text.substr(0, size);
        }
        text.remove_prefix(size);
    }
    return out;
}

bool is_slug(std::string_view text) {
    if (text.empty() || text.size() > 63 || text[0] == '-' || text[0] == '_') return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

bool is_player_id(std::string_view text) {
    if (text.empty() || text.size() > 128) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == ':' || c == '@' || c == '-';
    });
}

Result<std::string> clean_name(std::string_view text, std::size_t max_graphemes) {
    const bool ascii =
        std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
    const bool blank = std::all_of(text.begin(), text.end(), [](char c) { return c == ' '; });
    if (blank) return invalid("The text has nothing to see. To have none, send null.");
    if (ascii) {
        if (text.size() > max_graphemes) return too_long(max_graphemes);
        return std::string(text);
    }
    if (text.size() > max_graphemes * kMaxBytesPerGrapheme) return too_long(max_graphemes);

    utf8proc_uint8_t* mapped = nullptr;
    const auto size =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                     static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                     static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
    if (size < 0) return invalid("The text is not valid Unicode.");

    std::size_t graphemes = 0;
    bool visible = false;
    utf8proc_int32_t before = 0;
    utf8proc_int32_t state = 0;
    for (utf8proc_ssize_t at = 0; at < size;) {
        utf8proc_int32_t c = 0;
        at += utf8proc_iterate(mapped + at, size - at, &c);
        if (is_control(c)) return invalid("The text has control or unassigned characters.");
        if (is_bidi_override(c)) {
            return invalid("The text has characters that turn the direction of writing around.");
        }
        const auto category = utf8proc_category(c);
        visible |= category != UTF8PROC_CATEGORY_ZS && category != UTF8PROC_CATEGORY_CF;
        if (graphemes == 0 || utf8proc_grapheme_break_stateful(before, c, &state)) ++graphemes;
        before = c;
    }
    if (!visible) return invalid("The text has nothing to see.");
    if (graphemes > max_graphemes) return too_long(max_graphemes);
    return std::string(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
}

}  // namespace standings::text
