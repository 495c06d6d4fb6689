#include "settings/toml_file.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <sstream>
#include <toml.hpp>

#include "text/clean_text.h"

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

// The line of the first byte that is no UTF-8; 0: there is none.
std::size_t bad_line(const std::string& text) {
    if (text::is_utf8(text)) return 0;
    std::istringstream lines(text);
    std::size_t number = 1;
    for (std::string line; std::getline(lines, line) && text::is_utf8(line);) ++number;
    return number;
}

}  // namespace

Result<std::vector<FileValue>> read_toml(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    // A folder opens, and fails at the first byte.
    if (!file || (file.peek() == std::ifstream::traits_type::eof() && !file.eof())) {
        return Error{ErrorCode::kSettings,
                     "the settings file '" + path + "' cannot be read: " + std::strerror(errno)};
    }
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    // The library reads beyond its buffer when it complains of such bytes (3.7.1).
    if (const std::size_t line = bad_line(text); line != 0) {
        return Error{ErrorCode::kSettings,
                     "'" + path + "' is not TOML: line " + std::to_string(line) + " is not UTF-8"};
    }
    std::vector<FileValue> values;
    try {
        std::istringstream content(text);
        collect(toml::parse(content, path), {}, path, values);
    } catch (const std::exception& failure) {
        std::string detail = failure.what();
        while (detail.ends_with('\n')) detail.pop_back();
        return Error{ErrorCode::kSettings, "'" + path + "' is not TOML: " + detail};
    }
    return values;
}

}  // namespace standings::settings
