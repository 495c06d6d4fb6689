#include "cli/client_settings.h"

namespace standings::cli {

void add_client_settings(CLI::App& command, ClientSettings& settings) {
    command.add_option("--server", settings.server, "Address of the server")
        ->envname("STANDINGS_SERVER")
        ->capture_default_str();
    command.add_option("--key", settings.key, "Key for what is not public")
        ->envname("STANDINGS_KEY");
}

}  // namespace standings::cli
