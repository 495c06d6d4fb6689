// `standings backup`: asks a running server, or copies the folder of a stopped one.
#pragma once

#include "cli/command_line.h"

namespace standings::server {

void add_backup(cli::CommandLine& line);

}  // namespace standings::server
