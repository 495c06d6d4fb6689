// The command `health`.
#pragma once

#include "cli/command.h"

namespace standings::cli {

// Asks a server how it is. The program's exit code: 0 when it is ready, 1 when it is not or does
// not answer.
int show_health(const CommandOptions& options);

}  // namespace standings::cli
