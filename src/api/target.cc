#include "api/target.h"

#include "text/clean_text.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
    return -1;
}

// Cuts off what stands before the first `separator`, which goes too.
std::string_view take_until(std::string_view& text, char separator) {
    const std::size_t at = text.find(separator);
    const std::string_view piece = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return piece;
}

}  // namespace

Result<std::string_view> Target::decode(std::string_view text, bool plus_is_space) {
    const bool plain = text.find('%') == std::string_view::npos &&
                       (!plus_is_space || text.find('+') == std::string_view::npos);
    if (plain) return text;

    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return Error{ErrorCode::kMalformed, "The address has a broken %-escape."};
            }
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    if (!text::is_utf8(out)) return Error{ErrorCode::kMalformed, "The address is not UTF-8."};
    decoded_.push_back(std::move(out));
    return std::string_view(decoded_.back());
}

Result<void> Target::parse(std::string_view target) {
    parameters_.clear();
    decoded_.clear();
    segment_count_ = 0;

    std::string_view query = target;
    path_ = take_until(query, '?');
    std::string_view rest = path_;
    if (rest.starts_with('/')) rest.remove_prefix(1);
    // A slash at the end is a segment of its own, an empty one, that no route has.
    bool more = !rest.empty();
    while (more) {
        if (segment_count_ == kMaxSegments) {
            return Error{ErrorCode::kRouteNotFound, "There is nothing at this path."};
        }
        more = rest.find('/') != std::string_view::npos;
        const auto segment = decode(take_until(rest, '/'), false);
        if (!segment) return segment.error();
        segments_[segment_count_++] = *segment;
    }

    while (!query.empty()) {
        std::string_view pair = take_until(query, '&');
        if (pair.empty()) continue;
        const auto name = decode(take_until(pair, '='), true);
        if (!name) return name.error();
        const auto value = decode(pair, true);
        if (!value) return value.error();
        if (parameters_.size() == kMaxParameters) {
            return Error{ErrorCode::kInvalid, "The address has more than 32 parameters."};
        }
        if (parameter(*name)) {
            return Error{ErrorCode::kInvalid,
                         "The parameter '" + std::string(*name) + "' stands there twice."};
        }
        parameters_.push_back({*name, *value});
    }
    return {};
}

std::optional<std::string_view> Target::parameter(std::string_view name) const {
    for (const Parameter& parameter : parameters_) {
        if (parameter.name == name) return parameter.value;
    }
    return std::nullopt;
}

}  // namespace standings::api
