// What is said about a command line that is wrong. One form for all commands, on a terminal and
// elsewhere: "standings: SENTENCE", once for each finding, and then where help is.
#pragma once

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <string>

namespace standings::cli {

// "standings boards create"
std::string path_of(const CLI::App& command);

// The commands below `command` that help shows.
std::vector<const CLI::App*> visible_below(const CLI::App& command);

// "boards has no command 'freeze'; did you mean 'close'?"
std::string no_command(const CLI::App& command, const std::string& word);

// Of words that a value can be, whatever their case; it becomes the word as it stands here.
CLI::Validator one_of(std::initializer_list<std::string> words);

// What was wrong with the words, or the help that was asked for, on standard output. The exit code.
int explain(const CLI::App& app, const CLI::ParseError& error);

// "See `standings top --help`.", on standard error: behind the sentences of a command that ended
// with kUsage.
void point_to_help(const CLI::App& app);

}  // namespace standings::cli
