#include <vector>

#include "cli/config_commands.h"
#include "cli/help.h"
#include "settings/table.h"

namespace standings::cli {
namespace {

// Text that roff takes as it is.
std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else if (c == '\n') {
            out += ' ';
        } else {
            // A dot or an apostrophe at the start of a line would be a request.
            if (out.empty() && (c == '.' || c == '\'')) out += "\\&";
            out += c;
        }
    }
    return out;
}

void append_option(std::string& out, const CLI::Option& option) {
    std::string names;
    const auto add = [&](const std::string& name) {
        names += (names.empty() ? "\\fB" : ", \\fB") + roff(name) + "\\fR";
    };
    for (const std::string& name : option.get_snames()) add("-" + name);
    for (const std::string& name : option.get_lnames()) add("--" + name);
    if (option.get_positional()) names = "\\fI" + roff(option.get_name()) + "\\fR";
    const bool valued = option.get_type_size_max() > 0 && !option.get_positional();
    if (valued) names += " \\fI" + roff(value_name(option)) + "\\fR";
    out += ".TP\n" + names + '\n' + roff(described(option)) + '\n';
}

void append_command(std::string& out, const CLI::App& app, const std::string& path) {
    out += ".SS " + roff(path) + '\n' + roff(app.get_description()) + ".\n";
    for (const CLI::Option* option : app.get_options()) append_option(out, *option);
    for (const CLI::App* sub : app.get_subcommands({})) {
        if (!sub->get_group().empty()) append_command(out, *sub, path + ' ' + sub->get_name());
    }
}

}  // namespace

std::string man_page(const CLI::App& app, const std::string& version) {
    std::string out = ".TH STANDINGS 1 \"\" \"Standings " + roff(version) + "\"\n" +
                      ".SH NAME\nstandings \\- " + roff(app.get_description()) + '\n' +
                      ".SH SYNOPSIS\n\\fBstandings\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR ...]\n" +
                      ".SH COMMANDS\n";
    for (const CLI::App* sub : app.get_subcommands({})) {
        if (!sub->get_group().empty()) append_command(out, *sub, "standings " + sub->get_name());
    }
    out +=
        ".SH SETTINGS\n"
        "A flag comes before the environment, the environment before the TOML file, the file "
        "before the default. The variable of each setting is given with its flag; a secret may "
        "be kept in a file that the variable with _FILE behind it names.\n";
    for (const settings::Setting& setting : settings::kTable) {
        out += ".TP\n\\fB" + roff(setting.key) + "\\fR (" + roff(setting.environment) + ")\n" +
               roff(setting.help) +
               (setting.fallback.empty() ? std::string()
                                         : " Default: " + roff(setting.fallback) + '.') +
               '\n';
    }
    out +=
        ".SH EXIT STATUS\n"
        ".TP\n0\nDone.\n.TP\n1\nFailed.\n.TP\n2\nWrong usage or settings.\n"
        ".TP\n3\nAddress or data folder in use.\n"
        ".TP\n4\nThe database cannot be reached, or is of another version.\n"
        ".TP\n5\nWhat is stored is damaged.\n"
        ".TP\n130\nEnded by Ctrl-C (servers and watches: 0).\n"
        ".SH FILES\n";
    out += ".TP\n" + roff("./standings.toml") + "\nSettings of a server.\n";
    out += ".TP\n" + roff("./standings-data") + "\nThe database.\n";
    return out;
}

}  // namespace standings::cli
