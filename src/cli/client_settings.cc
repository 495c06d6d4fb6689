#include "cli/client_settings.h"

#include <memory>

#include "settings/flags.h"

namespace standings::cli {

void add_client_settings(CLI::App& command, ClientSettings& settings) {
    const auto flags = std::make_shared<settings::Flags>();
    flags->add_to(command, {"client.server", "client.key"});
    command.parse_complete_callback([&command, &settings, flags] {
        const auto values = flags->settle();
        // The parser's own way to report what is wrong; main() answers with exit code 2.
        if (!values) throw CLI::ValidationError(values.error().detail);
        settings.server = values->text("client.server");
        settings.key = values->text("client.key");

        // A command with lists has its own --output; the table says what holds without it.
        CLI::Option* output = command.get_option_no_throw("--output");
        const settings::Settled& chosen = values->at(*settings::find_key("client.output"));
        if (output == nullptr || output->count() > 0 ||
            chosen.source == settings::Source::kDefault) {
            return;
        }
        output->add_result(chosen.value.text);
        output->run_callback();
    });
}

}  // namespace standings::cli
