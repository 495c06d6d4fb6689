#include "settings/toml_file.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <toml.hpp>

namespace standings::settings {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

void collect(const toml::value& value, const std::string& key, const std::string& path,
             std::vector<FileValue>& out) {
    if (value.is_table()) {
        for (const auto& [name, child] : value.as_table()) {
            collect(child, key.empty() ? name : key + '.' + name, path, out);
        }
        return;
    }
    FileValue found{key, {}, path + ':' + std::to_string(value.location().line()), true};
    if (value.is_string()) {
        found.text = value.as_string().str;
    } else if (value.is_integer()) {
        found.text = std::to_string(value.as_integer());
    } else if (value.is_boolean()) {
        found.text = value.as_boolean() ? "true" : "false";
    } else {
        found.is_scalar = false;
    }
    out.push_back(std::move(found));
}

}  // namespace

Result<std::vector<FileValue>> read_toml(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    // A folder opens, and fails at the first byte.
    if (!file || (file.peek() == std::ifstream::traits_type::eof() && !file.eof())) {
        return Error{ErrorCode::kSettings,
                     "the settings file '" + path + "' cannot be read: " + std::strerror(errno)};
    }
    std::vector<FileValue> values;
    try {
        collect(toml::parse(file, path), {}, path, values);
    } catch (const std::exception& failure) {
        std::string detail = failure.what();
        while (detail.ends_with('\n')) detail.pop_back();
        return Error{ErrorCode::kSettings, "'" + path + "' is not TOML: " + detail};
    }
    return values;
}

}  // namespace standings::settings
