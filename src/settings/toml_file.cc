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

// toml11 3, as in Debian 12, and 4, as in Debian 13, name these two differently.
template <class Value>
std::string line_of(const Value& value) {
    if constexpr (requires { value.location().line(); }) {
        return std::to_string(value.location().line());
    } else {
        return std::to_string(value.location().first_line_number());
    }
}
template <class String>
const std::string& text_of(const String& string) {
    if constexpr (requires { string.str; }) {
        return string.str;
    } else {
        return string;
    }
}

void collect(const toml::value& value, const std::string& key, const std::string& path,
             std::vector<FileValue>& out) {
    if (value.is_table()) {
        for (const auto& [name, child] : value.as_table()) {
            collect(child, key.empty() ? name : key + '.' + name, path, out);
        }
        return;
    }
    FileValue found{key, {}, path + ':' + line_of(value), true};
    if (value.is_string()) {
        found.text = text_of(value.as_string());
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
