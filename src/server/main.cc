// The program's command line.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "cli/client_commands.h"
#include "cli/command_line.h"
#include "cli/import/import_command.h"
#include "server/announce.h"
#include "server/backup_command.h"
#include "server/check_command.h"
#include "server/demo.h"
#include "server/restore_command.h"
#include "server/serve.h"
#include "server/settings.h"
#include "server/version.h"

namespace {

namespace server = standings::server;

namespace cli = standings::cli;

int run_serve(server::ServeSettings settings);

void add_serve(cli::CommandLine& line, server::ServeSettings& settings) {
    CLI::App* serve = line.app.add_subcommand("serve", "Run the server");
    serve->callback([&line, &settings] { line.chosen = [&] { return run_serve(settings); }; });
    serve->add_option("--listen", settings.listen, "Address and port; port 0 takes a free one")
        ->envname("STANDINGS_LISTEN")
        ->capture_default_str();
    serve->add_option("--data", settings.data, "Folder of the database")
        ->envname("STANDINGS_DATA_DIR")
        ->capture_default_str();
    serve->add_flag("--accept-data-loss", settings.accept_data_loss,
                    "Start although the database is older than what was acknowledged, in a new "
                    "epoch");
}

int run_serve(server::ServeSettings settings) {
    auto key = server::secret_from_environment("STANDINGS_INIT_KEY");
    if (!key) {
        server::announce_failure(key.error());
        return server::exit_code(key.error().code);
    }
    settings.initial_key = *std::move(key);
    return server::serve(settings);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("A real-time leaderboard server", "standings");
    app.set_version_flag("--version", server::kVersion);
    app.require_subcommand(1);
    cli::CommandLine line{app, {}};
    server::ServeSettings settings;
    // systemd's StateDirectory= comes before the default, and after what is said on purpose.
    if (const char* state = std::getenv("STATE_DIRECTORY")) settings.data = state;
    add_serve(line, settings);
    server::add_demo(line);
    cli::add_boards(line);
    cli::add_submit(line);
    cli::add_top(line);
    cli::add_rank(line);
    cli::add_export(line);
    cli::add_health(line);
    cli::add_import(line);
    server::add_backup(line);
    server::add_restore(line);
    server::add_check(line);
    app.add_subcommand("version", "Show the version")->callback([&line] {
        line.chosen = [] {
            std::puts(server::kVersion);
            return 0;
        };
    });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return line.chosen();
}
