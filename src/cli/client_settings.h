// What every command that talks to a server can be told.
#pragma once

#include <string>

#include "cli/command_line.h"

namespace standings::cli {

struct ClientSettings {
    std::string server = "http://127.0.0.1:8420";
    std::string key;  // empty: without a credential
};

// Adds --server and --key with their environment names to `command`. `settings` outlives it.
void add_client_settings(CLI::App& command, ClientSettings& settings);

}  // namespace standings::cli
