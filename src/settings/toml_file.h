// Reads a TOML file of settings: the one place that knows the TOML library, and its exceptions.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace standings::settings {

// A value of the file, by its dotted key.
struct FileValue {
    std::string key;
    std::string text;
    std::string where;  // "standings.toml:12"
    bool is_scalar = true;
};

// kSettings with file and line when it cannot be read or is not TOML.
base::Result<std::vector<FileValue>> read_toml(const std::string& path);

}  // namespace standings::settings
