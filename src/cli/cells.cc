#include "cli/cells.h"

#include <utf8proc.h>

#include <optional>

#include "text/terminal_text.h"

namespace standings::cli {
namespace {

constexpr std::string_view kEllipsis = "\u2026";
constexpr std::string_view kFirstStrongIsolate = "\u2068";
constexpr std::string_view kPopIsolate = "\u2069";

// The next code point and its bytes; none where the text is not UTF-8.
struct CodePoint {
    std::optional<utf8proc_int32_t> value;
    std::string_view bytes;
};

CodePoint next_of(std::string_view text) {
    utf8proc_int32_t value = 0;
    const auto used = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &value);
    if (used <= 0) return {std::nullopt, text.substr(0, 1)};
    return {value, text.substr(0, static_cast<std::size_t>(used))};
}

bool is_harmful(utf8proc_int32_t value) {
    const bool is_control = value < 0x20 || (value >= 0x7F && value < 0xA0);
    const bool turns = (value >= 0x202A && value <= 0x202E) ||
                       (value >= 0x2066 && value <= 0x2069) || value == 0x200E || value == 0x200F ||
                       value == 0x061C;
    return is_control || turns || value == 0x2028 || value == 0x2029;
}

void append_escape(std::string& out, utf8proc_int32_t value) {
    static constexpr char kHex[] = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(value >> shift) & 15];
}

// Hebrew, Arabic, Syriac, Thaana, N'Ko and those after them, and the scripts of the second plane
// that run so.
bool runs_from_right(utf8proc_int32_t value) {
    const auto* property = utf8proc_get_property(value);
    return property->bidi_class == UTF8PROC_BIDI_CLASS_R ||
           property->bidi_class == UTF8PROC_BIDI_CLASS_AL;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const CodePoint point = next_of(text);
        if (!point.value) {
            append_escape(out, 0xFFFD);
        } else if (is_harmful(*point.value)) {
            append_escape(out, *point.value);
        } else {
            out += point.bytes;
        }
        text.remove_prefix(point.bytes.size());
    }
    return out;
}

std::string printable_lines(std::string_view text) {
    std::string out;
    while (true) {
        const std::size_t end = text.find('\n');
        out += printable(text.substr(0, end));
        if (end == std::string_view::npos) return out;
        out += '\n';
        text.remove_prefix(end + 1);
    }
}

std::string printable_json(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    while (!json.empty()) {
        const CodePoint point = next_of(json);
        // Space between tokens stays; inside strings JSON has it escaped already.
        const bool is_space = json[0] == '\n' || json[0] == '\t' || json[0] == '\r';
        if (!is_space && point.value && is_harmful(*point.value)) {
            append_escape(out, *point.value);
        } else {
            out += point.bytes;
        }
        json.remove_prefix(point.bytes.size());
    }
    return out;
}

std::string shortened(std::string_view whole, std::size_t cells) {
    std::size_t width = 0;
    std::size_t kept = 0;  // bytes that leave room for the ellipsis
    for (std::size_t at = 0; at < whole.size();) {
        const text::Grapheme grapheme = text::next_grapheme(whole.substr(at));
        width += grapheme.columns;
        at += grapheme.bytes.size();
        if (width > cells) return std::string(whole.substr(0, kept)) += kEllipsis;
        if (width < cells) kept = at;
    }
    return std::string(whole);
}

std::string isolated(std::string text) {
    for (std::string_view rest = text; !rest.empty();) {
        const CodePoint point = next_of(rest);
        if (point.value && runs_from_right(*point.value)) {
            return std::string(kFirstStrongIsolate) + text + std::string(kPopIsolate);
        }
        rest.remove_prefix(point.bytes.size());
    }
    return text;
}

}  // namespace standings::cli
