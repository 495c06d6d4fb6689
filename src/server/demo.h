// `standings demo`: the server of `serve` in memory, with a game going on in it.
#pragma once

#include "cli/command_line.h"

namespace standings::server {

struct DemoSettings;

// Adds the command to the program.
void add_demo(cli::CommandLine& line);

// Runs until SIGTERM, SIGINT or the end of its time. Answers the exit code of the process.
int demo(const DemoSettings& settings);

}  // namespace standings::server
