// How --help looks, and what is said about a command line that is wrong.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <string_view>

namespace standings::cli {

// Help in groups, wrapped to the terminal. Once for the whole program: subcommands inherit it when
// they are added later.
void use_our_help(CLI::App& app);

// `text` in lines of at most `width` columns, each after the first with `indent` spaces in front.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

// What was wrong, on standard error, with the nearest command or flag; or the help that was asked
// for, on standard output. The exit code.
int explain(const CLI::App& app, const CLI::ParseError& error);

}  // namespace standings::cli
