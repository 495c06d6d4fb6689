// `standings restore`: puts a backup in the place of a folder's database.
#pragma once

#include "cli/command_line.h"

namespace standings::server {

void add_restore(cli::CommandLine& line);

}  // namespace standings::server
