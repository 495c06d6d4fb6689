// `standings config ...`, `standings completion` and `standings man`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "settings/values.h"

namespace standings::cli {

// What a start refuses of settings that are each well-formed: a sentence for each.
using StartCheck = std::function<std::vector<std::string>(const settings::Values&)>;

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
