#include "cli/usage.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "settings/value.h"

namespace standings::cli {
namespace {

// The command whose words were parsed last.
const CLI::App& innermost(const CLI::App& app) {
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? app : innermost(*chosen.back());
}

std::string lower(std::string text) {
    return CLI::detail::to_lower(std::move(text));
}

// The library's messages begin with the name of the option.
std::string name_in(const std::string& said) {
    return said.substr(0, said.find_first_of(": "));
}

// What the library says of words that it cannot take, as a sentence.
std::string sentence_of(const CLI::ParseError& error) {
    std::string said = error.what();
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
        if (said.find("missing") != std::string::npos) return name_in(said) + " needs a value";
        if (said.find("At Most") != std::string::npos) {
            return name_in(said) + " can be given only once";
        }
        return name_in(said) + " takes no value";
    }
    if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
        const std::size_t other = said.rfind(' ');
        return name_in(said) + " and " + said.substr(other + 1) + " do not go together";
    }
    if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
        // "Could not convert: --yes = maybe"
        const std::size_t name = said.find(": ");
        const std::size_t equals = said.find(" = ");
        if (name != std::string::npos && equals != std::string::npos) {
            return said.substr(name + 2, equals - name - 2) + " cannot be '" +
                   said.substr(equals + 3) + "'";
        }
    }
    return said;
}

// "boards create": behind "standings: ".
std::string short_path_of(const CLI::App& command) {
    const std::string path = path_of(command);
    return path.substr(std::min(path.size(), path.find(' ') + 1));
}

// What other programs call our commands.
struct Synonym {
    std::string_view word;
    std::string_view ours;
};
constexpr Synonym kSynonyms[] = {
    {"freeze", "close"},    {"archive", "close"},  {"lock", "close"},    {"unfreeze", "reopen"},
    {"unlock", "reopen"},   {"delete", "rm"},      {"remove", "rm"},     {"del", "rm"},
    {"drop", "rm"},         {"list", "ls"},        {"new", "create"},    {"add", "create"},
    {"make", "create"},     {"update", "edit"},    {"set", "edit"},      {"change", "edit"},
    {"modify", "edit"},     {"clear", "reset"},    {"empty", "reset"},   {"start", "serve"},
    {"run", "serve"},       {"server", "serve"},   {"status", "health"}, {"ping", "health"},
    {"leaderboard", "top"}, {"ranking", "top"},    {"post", "submit"},   {"report", "submit"},
    {"score", "submit"},    {"dump", "export"},    {"load", "import"},   {"verify", "check"},
    {"settings", "config"}, {"validate", "check"},
};

// Our command for `word`, or `word` itself where it is one, if `command` has it.
const CLI::App* meant_by(const CLI::App& command, const std::string& word) {
    const auto* synonym = std::find_if(std::begin(kSynonyms), std::end(kSynonyms),
                                       [&](const Synonym& one) { return one.word == word; });
    const std::string_view ours = synonym != std::end(kSynonyms) ? synonym->ours : word;
    for (const CLI::App* sub : visible_below(command)) {
        if (sub->get_name() == ours) return sub;
    }
    return nullptr;
}

// The command below `command` that a word of other programs means: 'close' for freeze, and 'boards
// ls' for a list without saying of what. Empty: none.
std::string command_meant(const CLI::App& command, const std::string& word) {
    if (const CLI::App* sub = meant_by(command, word)) return sub->get_name();
    for (const CLI::App* group : visible_below(command)) {
        if (const CLI::App* sub = meant_by(*group, word)) {
            return group->get_name() + ' ' + sub->get_name();
        }
    }
    return {};
}

// "; did you mean 'serve'?" of a flag or a command that `command` does not have; or nothing.
std::string suggestion(const CLI::App& command, const std::string& word) {
    std::vector<std::string> names;
    if (word.starts_with('-')) {
        for (const CLI::Option* option : command.get_options()) {
            for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
        }
    } else {
        const std::string meant = command_meant(command, word);
        if (!meant.empty()) return "; did you mean '" + meant + "'?";
        for (const CLI::App* sub : visible_below(command)) names.push_back(sub->get_name());
    }
    const std::vector<std::string_view> known(names.begin(), names.end());
    return settings::did_you_mean(word, known);
}

// What the library left over as neither a flag nor a command nor an argument.
std::string sentence_about(const CLI::App& command, const std::string& word) {
    const std::string name = word.starts_with('-') ? word.substr(0, word.find('=')) : word;
    if (!word.starts_with('-') && !command.get_subcommands({}).empty()) {
        return no_command(command, word);
    }
    const bool is_flag = word.starts_with('-');
    if (command.get_parent() == nullptr) {
        return "there is no flag '" + name + "' without a command" + suggestion(command, name);
    }
    return short_path_of(command) + (is_flag ? " has no flag '" : " does not take '") + name + "'" +
           suggestion(command, name);
}

}  // namespace

std::string no_command(const CLI::App& command, const std::string& word) {
    const bool is_program = command.get_parent() == nullptr;
    return (is_program ? "there is no command '" : short_path_of(command) + " has no command '") +
           word + "'" + suggestion(command, word);
}

std::string path_of(const CLI::App& command) {
    const CLI::App* parent = command.get_parent();
    return (parent == nullptr ? "" : path_of(*parent) + ' ') + command.get_name();
}

std::vector<const CLI::App*> visible_below(const CLI::App& command) {
    return command.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); });
}

CLI::Validator one_of(std::initializer_list<std::string> words) {
    std::string list;
    for (const std::string& word : words) list += (list.empty() ? "" : ",") + word;
    const auto judge = [words = std::vector<std::string>(words)](std::string& text) -> std::string {
        std::string known;
        for (const std::string& word : words) {
            if (lower(text) == lower(word)) return text = word, std::string();
            known += (known.empty() ? "" : ", ") + word;
        }
        return "it is one of " + known + ", not '" + text + "'";
    };
    // Help and completion read the words from this description.
    return CLI::Validator(std::function<std::string(std::string&)>(judge), '{' + list + '}');
}

void point_to_help(const CLI::App& app) {
    const CLI::App& command = innermost(app);
    // The help of `help` is that of all.
    const bool is_help = command.get_name() == "help" && command.get_parent() != nullptr;
    const std::string path = path_of(is_help ? *command.get_parent() : command);
    std::fprintf(stderr, "See `%s --help`.\n", path.c_str());
}

int explain(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App& command = innermost(app);
    const bool has_commands = !command.get_subcommands({}).empty();
    const std::vector<std::string> left = app.remaining(true);
    if (error.get_exit_code() == 0) {  // help or version
        const bool is_unknown = !left.empty() && !left.front().starts_with('-') && has_commands;
        if (!is_unknown) return app.exit(error);
    }
    const bool nothing_said =
        has_commands && left.empty() && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    if (nothing_said) {
        std::fputs(help_of(command).c_str(), stderr);
        return kUsage;
    }
    complain(left.empty() ? sentence_of(error) : sentence_about(command, left.front()));
    point_to_help(app);
    return kUsage;
}

}  // namespace standings::cli
