// Text that goes into a command line.
#pragma once

#include <string>
#include <string_view>

namespace standings::cli {

// In single quotes, so that a shell takes it as one word whatever is in it.
inline std::string shell_word(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    return out + '\'';
}

}  // namespace standings::cli
