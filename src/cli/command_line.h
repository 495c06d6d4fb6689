// How a command joins the program: it adds itself to the parser, and says what to do when chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace standings::cli {

// What a chosen command does; its value is the program's exit code.
using Action = std::function<int()>;

// The command line being put together. One thread, the main one.
struct CommandLine {
    CLI::App& app;
    Action chosen;  // of the command that was parsed; set by its callback
};

// What the exit codes of all commands mean.
enum ExitCode : int {
    kDone = 0,
    kFailed = 1,
    kUsage = 2,      // words, settings or values that cannot be
    kBusy = 3,       // address or data folder in use
    kDatabase = 4,   // unreachable, or of another version
    kIntegrity = 5,  // what is stored is damaged
};

}  // namespace standings::cli
