// A request target taken apart: path segments and query parameters, decoded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace standings::api {

// Views into the target it was read from, or into itself where something had to be decoded. Meant
// to be kept and used again.
class Target {
  public:
    static constexpr std::size_t kMaxSegments = 8;
    static constexpr std::size_t kMaxParameters = 32;

    // Fails with kMalformed for a broken %-escape or bad UTF-8, kRouteNotFound for a path that is
    // too deep, kInvalid for a parameter that stands there twice, or too many of them.
    base::Result<void> parse(std::string_view target);

    std::string_view path() const { return path_; }  // as sent
    std::size_t segment_count() const { return segment_count_; }
    std::string_view segment(std::size_t index) const { return segments_[index]; }

    struct Parameter {
        std::string_view name;
        std::string_view value;
    };
    const std::vector<Parameter>& parameters() const { return parameters_; }
    std::optional<std::string_view> parameter(std::string_view name) const;

  private:
    base::Result<std::string_view> decode(std::string_view text, bool plus_is_space);

    std::string_view path_;
    std::array<std::string_view, kMaxSegments> segments_;
    std::size_t segment_count_ = 0;
    std::vector<Parameter> parameters_;
    std::deque<std::string> decoded_;
};

}  // namespace standings::api
