#include "cli/help.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <vector>

#include "cli/command_line.h"
#include "cli/terminal.h"
#include "cli/usage.h"

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
        std::string head = make_option_name(option, is_positional);
        const std::string value = value_name(*option);
        if (!is_positional && !value.empty()) head += ' ' + value;
        return block(head, described(*option));
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

}  // namespace

std::string value_name(const CLI::Option& option) {
    if (option.get_type_size() == 0) return {};
    const std::string type = option.get_type_name();
    // one_of() describes itself as "TEXT:{a,b}".
    const std::size_t open = type.find('{');
    const std::size_t close = type.find('}');
    if (open != std::string::npos && close != std::string::npos) {
        std::string words = type.substr(open + 1, close - open - 1);
        std::replace(words.begin(), words.end(), ',', '|');
        return words;
    }
    std::string name = type.substr(0, type.find(':'));
    if (name == "UINT" || name == "INT" || name == "FLOAT") return "N";
    return name;
}

std::string described(const CLI::Option& option) {
    const std::string& text = option.get_description();
    std::string notes;
    const auto add = [&](const std::string& note) { notes += (notes.empty() ? "" : "; ") + note; };
    const std::string type = option.get_type_name();
    const std::size_t colon = type.find(':');
    if (colon != std::string::npos && type[colon + 1] != '{') add(type.substr(colon + 1));
    if (option.get_required() && !option.get_positional()) add("required");
    if (!option.get_default_str().empty()) add("default: " + option.get_default_str());
    if (!option.get_envname().empty()) add(option.get_envname());
    return notes.empty() ? text : text + " [" + notes + ']';
}

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

std::string help_of(const CLI::App& command) {
    return command.get_formatter()->make_help(&command, path_of(command),
                                              CLI::AppFormatMode::Normal);
}

void add_help_command(CommandLine& line) {
    const auto words = std::make_shared<std::vector<std::string>>();
    CLI::App* command = line.app.add_subcommand("help", "Show the help of a command");
    command->add_option("COMMAND", *words, "The command, like boards create; without it all");
    command->callback([&line, words] {
        line.chosen = [&line, words] {
            const CLI::App* at = &line.app;
            for (const std::string& word : *words) {
                const auto below =
                    at->get_subcommands([&](const CLI::App* one) { return one->check_name(word); });
                if (below.empty()) {
                    complain(no_command(*at, word));
                    return kUsage;
                }
                at = below.front();
            }
            std::fputs(help_of(*at).c_str(), stdout);
            return kDone;
        };
    });
}

int after_output(int code) {
    std::cout.flush();  // the parser's own
    errno = 0;
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    if (code != kDone) return code;  // it has said what is wrong
    const std::string why = errno == 0 ? "" : std::string(": ") + std::strerror(errno);
    complain("cannot write to standard output" + why);
    return kFailed;
}

}  // namespace standings::cli
