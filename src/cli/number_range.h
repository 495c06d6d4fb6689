// Numbers on a command line.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

namespace standings::cli {

// Takes whole numbers from `least` to `most`; of anything else it says what is meant.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);
// The same for numbers with decimals.
CLI::Validator any_number(double least, double most);

}  // namespace standings::cli
