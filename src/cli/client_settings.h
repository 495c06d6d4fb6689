// What every command that talks to a server can be told.
#pragma once

#include <functional>
#include <optional>
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

// --output of a command, and what takes the word that it is given. When it is not given, that takes
// the word of STANDINGS_OUTPUT or of the file.
struct OutputChoice {
    CLI::Option* option;
    std::function<void(const std::string&)> take;
};
// Of a command whose outcome is one report: for people, or one JSON object. As CSV it is not
// written; who prefers that for lists gets the report for people.
OutputChoice add_report_output(CLI::App& command, bool& as_json);

// Adds --server, --key, --key-file and --config to `command`, and fills `settings` once it is
// parsed: from the flags, the environment, a named file and the defaults, in this order. What it
// is given outlives `command`.
void add_client_settings(CLI::App& command, ClientSettings& settings,
                         std::optional<OutputChoice> output = {});

}  // namespace standings::cli
