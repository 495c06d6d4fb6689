#include "cli/help.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "cli/command_line.h"
#include "settings/value.h"

namespace standings::cli {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kHelpIndent = 8;
// Short names have their text beside them from here on.
constexpr std::size_t kTextColumn = 16;
constexpr std::size_t kWidest = 100;  // longer lines read badly

std::size_t terminal_width() {
    std::size_t width = 0;
    if (const char* columns = std::getenv("COLUMNS")) {
        std::from_chars(columns, columns + std::strlen(columns), width);
    }
    winsize size{};
    if (width == 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width = size.ws_col;
    if (width == 0) width = kWidest;
    return std::clamp<std::size_t>(width, 40, kWidest);
}

class OurHelp final : public CLI::Formatter {
  public:
    std::string make_option(const CLI::Option* option, bool is_positional) const override {
        const std::string name = make_option_name(option, is_positional);
        return block(name + make_option_opts(option), make_option_desc(option));
    }
    std::string make_option_opts(const CLI::Option* option) const override {
        if (option->get_option_text().empty() && option->get_type_size() == 0) return {};
        return CLI::Formatter::make_option_opts(option);
    }
    std::string make_subcommand(const CLI::App* command) const override {
        return block(command->get_name(), command->get_description());
    }
    std::string make_description(const CLI::App* app) const override {
        return wrapped(app->get_description(), terminal_width(), 0) + '\n';
    }

  private:
    static std::string block(const std::string& head, const std::string& text) {
        std::string out(kIndent, ' ');
        out += head;
        if (out.size() + 2 <= kTextColumn && !text.empty()) {
            out.resize(kTextColumn, ' ');
            out += wrapped(text, terminal_width() - kTextColumn, kTextColumn);
        } else if (!text.empty()) {
            out += '\n' + std::string(kHelpIndent, ' ') +
                   wrapped(text, terminal_width() - kHelpIndent, kHelpIndent);
        }
        return out + '\n';
    }
};

// The command whose words were parsed last.
const CLI::App& innermost(const CLI::App& app) {
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? app : innermost(*chosen.back());
}

std::string suggestion(const CLI::App& command, const std::string& word) {
    std::vector<std::string> names;
    if (word.starts_with('-')) {
        for (const CLI::Option* option : command.get_options()) {
            for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
        }
    } else {
        for (const CLI::App* sub : command.get_subcommands(
                 [](const CLI::App* one) { return !one->get_group().empty(); })) {
            names.push_back(sub->get_name());
        }
    }
    const std::vector<std::string_view> known(names.begin(), names.end());
    return settings::did_you_mean(word.substr(0, word.find('=')), known);
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
    std::string out;
    std::size_t column = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (column > 0 && column + 1 + word.size() > width) {
            out += '\n' + std::string(indent, ' ');
            column = 0;
        }
        if (column > 0) out += ' ';
        out += word;
        column += (column > 0 ? 1 : 0) + word.size();
    }
    return out;
}

void use_our_help(CLI::App& app) {
    app.formatter(std::make_shared<OurHelp>());
}

int explain(const CLI::App& app, const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help or version
    const CLI::App& command = innermost(app);
    std::string path;
    for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
        path = at->get_name() + (path.empty() ? "" : " ") + path;
    }
    const bool nothing_said = command.get_subcommands({}).size() > 0 &&
                              dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
                              app.remaining_size(true) == 0;
    if (nothing_said) {
        std::fputs(command.help().c_str(), stderr);
        return kUsage;
    }
    std::string text;
    const std::vector<std::string> left = app.remaining(true);
    if (!left.empty()) {
        const std::string& word = left.front();
        const bool is_flag = word.starts_with('-');
        const bool is_command = !is_flag && !command.get_subcommands({}).empty();
        text = path +
               (is_flag      ? " has no flag '"
                : is_command ? " has no command '"
                             : " does not take '") +
               word + "'" + suggestion(command, word);
    } else {
        text = error.what();
    }
    std::fprintf(stderr, "standings: %s\nSee `%s --help`.\n", text.c_str(), path.c_str());
    return kUsage;
}

}  // namespace standings::cli
