#include "cli/client_settings.h"

#include <memory>
#include <utility>

#include "cli/usage.h"
#include "settings/flags.h"

namespace standings::cli {

base::Result<ClientSettings> client_settings_of(const settings::Values& values) {
    ClientSettings settings{.server = values.text("client.server"),
                            .key = values.text("client.key"),
                            .key_from = values.at(*settings::find_key("client.key")).where};
    const bool is_file =
        settings.key_from.ends_with("-file") || settings.key_from.ends_with("_FILE");
    if (settings.key.empty() && is_file) {
        return base::Error{base::ErrorCode::kSettings,
                           settings.key_from + " names a file that is empty"};
    }
    return settings;
}

OutputChoice add_report_output(CLI::App& command, bool& as_json) {
    const auto take = [&as_json](const std::string& word) {
        as_json = word == "json" || word == "ndjson";
    };
    CLI::Option* option =
        command
            .add_option_function<std::string>(
                "-o,--output", take,
                "table, for people, or one JSON object [default: table; STANDINGS_OUTPUT]")
            ->transform(one_of({"table", "json", "ndjson"}));
    return {option, take};
}

void add_client_settings(CLI::App& command, ClientSettings& settings,
                         std::optional<OutputChoice> output) {
    const auto flags = std::make_shared<settings::Flags>();
    flags->add_to(command, {"client.server", "client.key"});
    command.parse_complete_callback([&settings, flags, output] {
        // The flag wins, whatever else there is.
        const bool asks_for_output = output && output->option->count() == 0;
        if (asks_for_output) flags->also_use("client.output");
        const auto values = flags->settle();
        // The parser's own way to report what is wrong; main() answers with exit code 2.
        if (!values) throw CLI::ValidationError(values.error().detail);
        auto settled = client_settings_of(*values);
        if (!settled) throw CLI::ValidationError(settled.error().detail);
        settings = *std::move(settled);

        if (asks_for_output) output->take(values->text("client.output"));
    });
}

}  // namespace standings::cli
