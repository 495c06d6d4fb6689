// `standings config ...`, `standings completion` and `standings man`.
#pragma once

#include <functional>

#include "base/result.h"
#include "cli/command_line.h"
#include "settings/values.h"

namespace standings::cli {

// What a start says of settings that are each well-formed: nothing, or why it refuses.
using StartCheck = std::function<base::Result<void>(const settings::Values&)>;

// Shows, checks and makes files of settings.
void add_config_commands(CommandLine& line, const StartCheck& start_check);
// Both read the parser as it is when they run, so all commands are in it.
void add_completion_command(CommandLine& line);
void add_man_command(CommandLine& line);

// The text for `shell`: bash, zsh or fish.
std::string completion_script(const CLI::App& app, const std::string& shell);
// A page for man(7), in roff.
std::string man_page(const CLI::App& app, const std::string& version);

}  // namespace standings::cli
