// Reads a small file whole.
#pragma once

#include <optional>
#include <string>

namespace standings::settings {

// None when it cannot be read, also of a folder; errno says why.
std::optional<std::string> read_text_file(const std::string& path);

}  // namespace standings::settings
