// What one setting is. All of them are in table.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace standings::settings {

enum class Type : std::uint8_t {
    kText,
    kAddress,   // 127.0.0.1:8420
    kPath,      // of a file or folder
    kBytes,     // 64KiB, 64MB, 65536
    kDuration,  // 10s, 500ms, 24h, 30d
    kCount,     // a whole number
    kFlag,      // true or false
    kChoice,    // one of a few words
    kSecret,    // a text that is never shown; may be kept in a file of its own
};

// Which commands take a setting; bits.
using Commands = std::uint8_t;
inline constexpr Commands kServe = 1;
inline constexpr Commands kDemo = 2;
inline constexpr Commands kClient = 4;
inline constexpr Commands kBackup = 8;  // of the folder of a stopped server

using Choices = std::array<std::string_view, 5>;  // the rest is empty

struct Setting {
    std::string_view key;          // in the TOML file
    std::string_view flag;         // a secret has this flag with -file behind it, too
    std::string_view environment;  // a secret has this name with _FILE behind it, too
    Type type;
    std::string_view fallback;  // as it is written
    std::string_view help;      // one sentence
    Commands commands;
    std::int64_t least = 0;  // of a number, in bytes or milliseconds where it has a unit
    std::int64_t most = INT64_MAX;
    Choices choices = {};
};

}  // namespace standings::settings
