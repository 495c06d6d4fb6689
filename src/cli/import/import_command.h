// `standings import`: fills a board from a file or from a sorted set.
#pragma once

#include "cli/command_line.h"

namespace standings::cli {

void add_import(CommandLine& line);

}  // namespace standings::cli
