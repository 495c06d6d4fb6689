// `standings demo`: the server of `serve` in memory, with a game going on in it.
#pragma once

#include "cli/command_line.h"

namespace standings::server {

// Adds the command to the program. It runs until SIGTERM, SIGINT or the end of its time.
void add_demo(cli::CommandLine& line);

}  // namespace standings::server
