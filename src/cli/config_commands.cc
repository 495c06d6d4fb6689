#include "cli/config_commands.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "base/write_all.h"
#include "cli/command.h"
#include "cli/listing.h"
#include "cli/terminal.h"
#include "cli/usage.h"
#include "settings/flags.h"
#include "settings/reference.h"

namespace standings::cli {
namespace {

int fail(const std::string& detail, int code) {
    complain(detail);
    return code;
}

int print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    if (std::fflush(stdout) != 0) return fail("cannot write the output", kFailed);
    return kDone;
}

void warn(const settings::Values& values) {
    for (const std::string& warning : values.warnings()) {
        complain("warning: " + warning);
    }
}

int show_values(const settings::Values& values, Format format) {
    if (format == Format::kTable) return print(settings::show_table(values));
    Listing listing({{"key", "key"},
                     {"value", "value"},
                     {"source", "source"},
                     {"where", "where"},
                     {"default", "default"}});
    for (std::string& row : settings::show_rows(values)) listing.add(std::move(row));
    return exit_after(listing.print(format, settings::show_json(values)));
}

void add_show(CommandLine& line, CLI::App& config) {
    struct State {
        settings::Flags flags;
        std::string output;
    };
    const auto state = std::make_shared<State>();
    CLI::App* show = config.add_subcommand(
        "show", "Show every setting's value and where it came from; secrets are masked");
    state->flags.add_to(*show, settings::kServe | settings::kDemo | settings::kClient);
    CLI::Option* output = show->get_option_no_throw("--output");
    if (output != nullptr) show->remove_option(output);
    show->add_option("-o,--output", state->output,
                     "How the output is written [default: table; STANDINGS_OUTPUT]")
        ->transform(one_of({"table", "json", "ndjson", "csv"}));
    show->callback([&line, state] {
        line.chosen = [state] {
            const auto values = state->flags.settle();
            if (!values) return fail(values.error().detail, kUsage);
            warn(*values);
            return show_values(*values,
                               format_named(state->output.empty() ? values->text("client.output")
                                                                  : state->output));
        };
    });
}

// The line of `file` that a finding begins with, as "FILE:12: "; 0: it is of no line.
std::size_t line_in(const std::string& finding, const std::string& file) {
    std::size_t line = 0;
    if (file.empty() || !finding.starts_with(file + ':')) return line;
    std::from_chars(finding.data() + file.size() + 1, finding.data() + finding.size(), line);
    return line;
}

// Everything that is wrong, as far as it can be known without a start.
int check(settings::Inputs inputs, const std::string& file, const StartCheck& start_check) {
    if (!file.empty()) inputs.config = file;
    std::vector<std::string> findings;
    const auto values = settings::Values::settle(inputs, findings);
    for (std::string& refused : start_check(values)) findings.push_back(std::move(refused));
    // The file from its top to its end, then the environment and flags.
    std::stable_sort(
        findings.begin(), findings.end(), [&](const std::string& left, const std::string& right) {
            // No line, 0, becomes the largest.
            return line_in(left, values.file()) - 1 < line_in(right, values.file()) - 1;
        });
    for (const std::string& finding : findings) complain(finding);
    warn(values);
    if (!findings.empty()) return kUsage;
    return print("ok: " + (values.file().empty() ? "there is no file of settings" : values.file()) +
                 '\n');
}

void add_check(CommandLine& line, CLI::App& config, const StartCheck& start_check) {
    struct State {
        settings::Flags flags;
        std::string file;
    };
    const auto state = std::make_shared<State>();
    CLI::App* command = config.add_subcommand(
        "check", "Say everything that is wrong with a file of settings, the environment and flags");
    CLI::Option* file = command->add_option("FILE", state->file, "The same as --config FILE");
    state->flags.add_to(*command, settings::kServe | settings::kDemo | settings::kClient);
    file->excludes(command->get_option("--config"));
    command->callback([&line, state, start_check] {
        line.chosen = [state, start_check] {
            return check(state->flags.inputs(), state->file, start_check);
        };
    });
}

int write_new(const std::string& path, const std::string& text) {
    if (path == "-") return print(text);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0 && errno == EEXIST) {
        return fail("'" + path + "' is there already; name another file, or move it away", kUsage);
    }
    if (file < 0) return fail("cannot write '" + path + "': " + std::strerror(errno), kFailed);
    const bool written = base::write_all(file, text);
    ::close(file);
    if (!written) return fail("cannot write '" + path + "': " + std::strerror(errno), kFailed);
    return print("Wrote " + path + ".\n");
}

void add_init(CommandLine& line, CLI::App& config) {
    const auto path = std::make_shared<std::string>("standings.toml");
    CLI::App* init =
        config.add_subcommand("init", "Write a file with every setting, commented, at its default");
    init->add_option("FILE", *path, "File to make; - writes to standard output")
        ->capture_default_str();
    init->callback([&line, path] {
        line.chosen = [path] { return write_new(*path, settings::toml_template()); };
    });
}

void add_printer(CommandLine& line, CLI::App& config, const char* name, const char* what,
                 std::string (*make)(), const char* group = "Subcommands") {
    CLI::App* command = config.add_subcommand(name, what);
    command->group(group);
    command->callback([&line, make] { line.chosen = [make] { return print(make()); }; });
}

}  // namespace

void add_config_commands(CommandLine& line, const StartCheck& start_check) {
    CLI::App* config =
        line.app.add_subcommand("config", "Settings: show, check, make a file, its schema");
    config->require_subcommand(1);
    add_show(line, *config);
    add_check(line, *config, start_check);
    add_init(line, *config);
    add_printer(line, *config, "schema", "Print the JSON Schema of the file",
                settings::json_schema);
    // For the repository: docs/settings.md.
    add_printer(line, *config, "docs", "Print the reference page", settings::reference_page, "");
}

void add_completion_command(CommandLine& line) {
    const auto shell = std::make_shared<std::string>();
    CLI::App* completion = line.app.add_subcommand(
        "completion", "Print completion for a shell: source <(standings completion bash)");
    completion->add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->transform(one_of({"bash", "zsh", "fish"}));
    completion->callback([&line, shell] {
        line.chosen = [&line, shell] { return print(completion_script(line.app, *shell)); };
    });
}

void add_man_command(CommandLine& line) {
    line.app.add_subcommand("man", "Print the manual page: standings man | man -l -")
        ->callback([&line] {
            line.chosen = [&line] { return print(man_page(line.app, line.app.version())); };
        });
}

}  // namespace standings::cli
