// How --help looks.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "cli/command_line.h"

namespace standings::cli {

// Help in groups, wrapped to the terminal. Once for the whole program: subcommands inherit it when
// they are added later.
void use_our_help(CLI::App& app);

// The command `help`, which shows the help of others.
void add_help_command(CommandLine& line);

// What the value of an option is called: "N", "table|json"; empty where it takes none.
std::string value_name(const CLI::Option& option);
// Its text with the range, the default and the variable behind it, as that of a setting.
std::string described(const CLI::Option& option);

// `text` in lines of at most `width` columns, each after the first with `indent` spaces in front.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

// What `command --help` shows.
std::string help_of(const CLI::App& command);

// What `code` becomes once standard output is flushed: kFailed, with a sentence, where a command
// that was content could not write all it had to say.
int after_output(int code);

}  // namespace standings::cli
