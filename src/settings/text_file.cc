#include "settings/text_file.h"

#include <fstream>
#include <iterator>

namespace standings::settings {

std::optional<std::string> read_text_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    // A folder opens, and fails at the first byte.
    if (!file || (file.peek() == std::ifstream::traits_type::eof() && !file.eof())) {
        return std::nullopt;
    }
    return std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace standings::settings
