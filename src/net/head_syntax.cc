#include "net/head_syntax.h"

#include <algorithm>

namespace standings::net {
namespace {

constexpr std::size_t kVersionBytes = sizeof(" HTTP/1.1") - 1;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_host_byte(char c) {
    if (is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
    return std::string_view("-._~!$&'()*+,;=%").find(c) != std::string_view::npos;
}

}  // namespace

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != lower[i]) return false;
    }
    return true;
}

bool is_authority(std::string_view text) {
    std::size_t host_end = 0;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos || close < 3) return false;
        for (const char c : text.substr(1, close - 1)) {
            if (!is_host_byte(c) && c != ':') return false;
        }
        host_end = close + 1;
    } else {
        while (host_end < text.size() && is_host_byte(text[host_end])) ++host_end;
        if (host_end == 0) return false;
    }
    if (host_end == text.size()) return true;
    if (text[host_end] != ':') return false;
    const auto port = text.substr(host_end + 1);
    if (port.size() > 5) return false;
    for (const char c : port) {
        if (!is_digit(c)) return false;
    }
    return true;
}

bool names_version(std::string_view head) {
    const auto line = head.substr(0, head.find('\r'));
    if (line.size() < kVersionBytes) return false;
    if (std::count(line.begin(), line.end(), ' ') != 2) return false;
    const auto version = line.substr(line.size() - kVersionBytes);
    return version.starts_with(" HTTP/") && is_digit(version[6]) && version[7] == '.' &&
           is_digit(version[8]);
}

}  // namespace standings::net
