// The text of a setting, understood.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "settings/setting.h"

namespace standings::settings {

struct Value {
    std::string text;         // as it was written
    std::int64_t number = 0;  // bytes, milliseconds, a count, or 0 and 1 of a flag
};

// kSettings with a sentence that says what is allowed, without where the text came from.
base::Result<Value> parse_value(const Setting& setting, std::string_view text);

// "a size from 256B to 1GiB, like 64KiB, 64MB or 65536"
std::string allowed(const Setting& setting);

std::string write_bytes(std::int64_t bytes);
std::string write_duration(std::int64_t ms);

// The one of `known` with the least edits from `text`; empty when none is near.
std::string_view nearest(std::string_view text, std::span<const std::string_view> known);
// ". Did you mean 'x'?", or nothing.
std::string did_you_mean(std::string_view text, std::span<const std::string_view> known);

}  // namespace standings::settings
