#include "settings/toml_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <sstream>
#include <string_view>
#include <toml.hpp>
#include <utility>

#include "settings/text_file.h"
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
    using Kind = FileValue::Kind;
    FileValue found{key, {}, path + ':' + line_of(value), Kind::kTime};
    if (value.is_string()) {
        found.kind = Kind::kText;
        found.text = text_of(value.as_string());
    } else if (value.is_integer()) {
        found.kind = Kind::kWhole;
        found.text = std::to_string(value.as_integer());
    } else if (value.is_boolean()) {
        found.kind = Kind::kTruth;
        found.text = value.as_boolean() ? "true" : "false";
    } else if (value.is_floating()) {
        found.kind = Kind::kDecimal;
    } else if (value.is_array()) {
        found.kind = Kind::kList;
    }
    out.push_back(std::move(found));
}

// The column to which the library's picture points below its line of this number; 1: to none.
//
//      2 | listen = = 1
//        |          ^--- here
[[maybe_unused]] std::size_t column_in(std::string_view picture, std::size_t line) {
    const std::string number = ' ' + std::to_string(line) + " | ";
    for (std::size_t at = picture.find(number); at != std::string_view::npos;
         at = picture.find(number, at + 1)) {
        const std::size_t row = picture.rfind('\n', at) + 1;
        const std::size_t first = at + number.size() - row;
        const std::size_t below = picture.find('\n', at) + 1;
        if (below == 0) break;
        const std::size_t mark = picture.substr(0, picture.find('\n', below)).find('^', below);
        if (mark != std::string_view::npos && mark >= below + first)
            return mark - below - first + 1;
    }
    return 1;
}

// ":3:7", the line and column that the library complains of. Version 3 has the column only in its
// picture.
template <class Failure>
std::string place_of(const Failure& failure) {
    const auto written = [](std::size_t line, std::size_t column) {
        return ':' + std::to_string(line) + ':' + std::to_string(column);
    };
    if constexpr (requires { failure.location().line(); }) {
        const std::size_t line = failure.location().line();
        return written(line, column_in(failure.what(), line));
    } else {
        if (failure.errors().empty() || failure.errors()[0].locations().empty()) return {};
        const auto& place = failure.errors()[0].locations()[0].first;
        return written(place.first_line_number(), place.first_column_number());
    }
}

// Of the library's picture of the place, what it says: without the names of its functions.
std::string reason_of(std::string_view said) {
    said = said.substr(0, said.find('\n'));
    const auto drop = [&said](std::string_view head) {
        if (said.starts_with(head)) said.remove_prefix(head.size());
    };
    drop("[error] ");
    if (said.starts_with("toml::")) said.remove_prefix(std::min(said.find(": ") + 2, said.size()));
    drop("bad format: ");
    while (said.ends_with('.') || said.ends_with(' ')) said.remove_suffix(1);
    return said.empty() ? "something is wrong" : std::string(said);
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
    const auto text = read_text_file(path);
    if (!text) {
        return Error{ErrorCode::kSettings,
                     "the settings file '" + path + "' cannot be read: " + std::strerror(errno)};
    }
    // The library reads beyond its buffer when it complains of such bytes (3.7.1).
    if (const std::size_t line = bad_line(*text); line != 0) {
        return Error{ErrorCode::kSettings, path + ':' + std::to_string(line) +
                                               ": this is not TOML: the line is not UTF-8"};
    }
    std::vector<FileValue> values;
    try {
        std::istringstream content(*text);
        collect(toml::parse(content, path), {}, path, values);
    } catch (const toml::syntax_error& failure) {
        return Error{ErrorCode::kSettings,
                     path + place_of(failure) + ": this is not TOML: " + reason_of(failure.what())};
    } catch (const std::exception& failure) {
        return Error{ErrorCode::kSettings,
                     path + ": this is not TOML: " + reason_of(failure.what())};
    }
    // The library forgets the order. Of "FILE:2" and "FILE:12" the shorter one is above.
    std::sort(values.begin(), values.end(), [](const FileValue& a, const FileValue& b) {
        return std::pair(a.where.size(), std::string_view(a.where)) <
               std::pair(b.where.size(), std::string_view(b.where));
    });
    return values;
}

}  // namespace standings::settings
