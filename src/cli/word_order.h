// Where flags may stand.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace standings::cli {

// The words of a command line, with the flags that stand before a command's name, as in `--server
// URL boards ls`, put behind it: the parser takes a flag only where the command has it. What no
// command has stays where it is.
std::vector<std::string> with_flags_behind(const CLI::App& app,
                                           const std::vector<std::string>& words);

}  // namespace standings::cli
