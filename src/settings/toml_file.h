// Reads a TOML file of settings: the one place that knows the TOML library, and its exceptions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace standings::settings {

// A value of the file, by its dotted key.
struct FileValue {
    enum class Kind : std::uint8_t { kText, kWhole, kTruth, kDecimal, kTime, kList };

    std::string key;
    std::string text;   // empty for a decimal, a time and a list, which no setting is
    std::string where;  // "standings.toml:12"
    Kind kind = Kind::kText;
};

// In the order of the lines. One sentence, kSettings, when it cannot be read or is not TOML: with
// file, line and column.
base::Result<std::vector<FileValue>> read_toml(const std::string& path);

}  // namespace standings::settings
