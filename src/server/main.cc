// The program's command line.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/client_commands.h"
#include "cli/command_line.h"
#include "cli/config_commands.h"
#include "cli/help.h"
#include "cli/import/import_command.h"
#include "cli/usage.h"
#include "cli/word_order.h"
#include "server/backup_command.h"
#include "server/check_command.h"
#include "server/demo.h"
#include "server/freed_memory.h"
#include "server/restore_command.h"
#include "server/serve.h"
#include "server/version.h"
#include "settings/flags.h"

namespace {

namespace cli = standings::cli;
namespace server = standings::server;
namespace settings = standings::settings;

void add_serve(cli::CommandLine& line, settings::Flags& flags) {
    CLI::App* serve = line.app.add_subcommand("serve", "Run the server");
    flags.add_to(*serve, settings::kServe);
    serve->callback([&line, &flags] { line.chosen = [&flags] { return server::serve(flags); }; });
}

void add_version(cli::CommandLine& line) {
    line.app.add_subcommand("version", "Show the version")->callback([&line] {
        line.chosen = [] {
            std::puts(server::kVersion);
            return 0;
        };
    });
}

}  // namespace

int main(int argc, char** argv) {
    server::give_back_freed_memory();
    CLI::App app("A real-time leaderboard server", "standings");
    cli::use_our_help(app);
    app.set_version_flag("--version", server::kVersion, "Show the version");
    app.require_subcommand(1);
    cli::CommandLine line{app, {}};
    settings::Flags serve_flags;
    add_serve(line, serve_flags);
    server::add_demo(line);
    server::add_backup(line);
    server::add_restore(line);
    server::add_check(line);
    cli::add_boards(line);
    cli::add_submit(line);
    cli::add_top(line);
    cli::add_rank(line);
    cli::add_export(line);
    cli::add_health(line);
    cli::add_import(line);
    cli::add_config_commands(line, server::check_start);
    cli::add_completion_command(line);
    cli::add_man_command(line);
    cli::add_help_command(line);
    add_version(line);

    try {
        auto words = cli::with_flags_behind(app, {argv + std::min(argc, 1), argv + argc});
        std::reverse(words.begin(), words.end());  // as the library takes a vector
        app.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
        return cli::after_output(cli::explain(app, error));
    }
    const int code = line.chosen();
    if (code == cli::kUsage) cli::point_to_help(app);
    return cli::after_output(code);
}
