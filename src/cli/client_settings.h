// What every command that talks to a server can be told.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command_line.h"
#include "settings/values.h"

namespace standings::cli {

struct ClientSettings {
    std::string server = "http://127.0.0.1:8420";
    std::string key;       // empty: without a credential
    std::string key_from;  // "--key", "STANDINGS_KEY_FILE": for sentences about it
};

// What `values`, which have the keys of a client, say. Fails where a key is in a file that is
// empty.
base::Result<ClientSettings> client_settings_of(const settings::Values& values);

// Adds --server, --key, --key-file and --config to `command`, and fills `settings` once it is
// parsed: from the flags, the environment, a named file and the defaults, in this order. Of a
// command that lists, `list_output` is its --output; when it is not given it takes STANDINGS_OUTPUT
// or the file's. `settings` outlives `command`.
void add_client_settings(CLI::App& command, ClientSettings& settings,
                         CLI::Option* list_output = nullptr);

}  // namespace standings::cli
