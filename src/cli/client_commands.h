// The words of the commands that talk to a server; what they do is in boards, scores, export and
// health.
#pragma once

#include "cli/command_line.h"

namespace standings::cli {

// Each adds its command to the line, which outlives what is parsed.
void add_boards(CommandLine& line);
void add_submit(CommandLine& line);
void add_top(CommandLine& line);
void add_rank(CommandLine& line);
void add_export(CommandLine& line);
void add_health(CommandLine& line);

}  // namespace standings::cli
