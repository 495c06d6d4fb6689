// What every command that talks to a server can be told.
#pragma once

#include <string>

#include "cli/command_line.h"

namespace standings::cli {

struct ClientSettings {
    std::string server = "http://127.0.0.1:8420";
    std::string key;  // empty: without a credential
};

// Adds --server, --key, --key-file and --config to `command`, and fills `settings` once it is
// parsed: from the flags, the environment, a named file and the defaults, in this order. An
// --output of the command that is not given takes STANDINGS_OUTPUT or the file's. `settings`
// outlives `command`.
void add_client_settings(CLI::App& command, ClientSettings& settings);

}  // namespace standings::cli
