#include <algorithm>
#include <functional>
#include <vector>

#include "cli/config_commands.h"
#include "cli/shell_word.h"
#include "cli/usage.h"
#include "settings/table.h"

namespace standings::cli {
namespace {

struct Command {
    std::string path;  // "config show"; empty: the program itself
    const CLI::App* app;
    // Behind `help`: "help config show" takes the same commands, and neither flags nor arguments.
    bool is_topic = false;

    std::vector<const CLI::Option*> options() const {
        return is_topic ? std::vector<const CLI::Option*>() : app->get_options();
    }
};

void collect(const CLI::App& app, const std::string& path, bool is_topic,
             std::vector<Command>& out) {
    out.push_back({path, &app, is_topic});
    for (const CLI::App* sub : visible_below(app)) {
        const std::string below = path.empty() ? sub->get_name() : path + ' ' + sub->get_name();
        if (below == "help") {
            collect(*sub->get_parent(), below, true, out);
        } else if (!is_topic || sub->get_name() != "help") {
            collect(*sub, below, is_topic, out);
        }
    }
}

std::vector<std::string> flags_of(const Command& command) {
    std::vector<std::string> flags;
    for (const CLI::Option* option : command.options()) {
        for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
        for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
    }
    return flags;
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
}

// An argument for which the names of files are offered.
bool is_file(const CLI::Option& argument) {
    const std::string name = argument.get_name(true);
    return name == "FILE" || name == "BACKUP";
}

// The words that the value of an option can be, separated by spaces; empty: any.
std::string words_of(const CLI::Option& option) {
    std::string type = option.get_type_name();
    if (type.find('|') == std::string::npos) {
        // one_of() describes itself as "TEXT:{a,b}".
        const std::size_t open = type.find('{');
        const std::size_t close = type.find('}');
        if (open == std::string::npos || close == std::string::npos) return {};
        type = type.substr(open + 1, close - open - 1);
        std::replace(type.begin(), type.end(), ',', ' ');
        return type;
    }
    std::replace(type.begin(), type.end(), '|', ' ');
    return type;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
    return out;
}

std::vector<std::string> words_after(const Command& command) {
    std::vector<std::string> words;
    for (const CLI::App* sub : visible_below(*command.app)) words.push_back(sub->get_name());
    for (const CLI::Option* option : command.options()) {
        if (option->get_positional() && !words_of(*option).empty()) {
            words.push_back(words_of(*option));
        }
    }
    return words;
}

// Whether another argument, a board say, stands before the file.
bool takes_file_later(const Command& command) {
    for (const CLI::Option* option : command.options()) {
        if (option->get_positional()) return !is_file(*option);
    }
    return false;
}

// How bash offers what is behind the command: its words, files where it takes one, or nothing.
std::string offer_after(const Command& command) {
    const auto words = words_after(command);
    const auto options = command.options();
    const bool takes_file = std::any_of(
        options.begin(), options.end(),
        [](const CLI::Option* option) { return option->get_positional() && is_file(*option); });
    if (!words.empty() || !takes_file) return "compgen -W " + shell_word(joined(words));
    if (!takes_file_later(command)) return "compgen -f";
    return "[[ $before == " + command.app->get_name() + " ]] || compgen -f";
}

// Finds out in which command the cursor is, then offers its words, its flags, or the values of the
// flag in front. bash cuts `--flag=value` at the sign and completes what is behind it; zsh, which
// runs this through its bashcompinit, and a bash whose COMP_WORDBREAKS has no = hand over the whole
// word, and want it back whole.
std::string bash_script(const std::vector<Command>& commands) {
    std::string out =
        "# Completion for standings.\n"
        "_standings() {\n"
        "    local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"\" command=\"\" head=\"\" i\n"
        "    ((COMP_CWORD > 0)) && before=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
        "    if [[ $word == '=' ]]; then\n"
        "        word=\"\"\n"
        "    elif [[ $before == '=' ]]; then\n"
        "        before=\"${COMP_WORDS[COMP_CWORD-2]}\"\n"
        "    elif [[ $word == --*=* ]]; then\n"
        "        before=\"${word%%=*}\" head=\"${word%%=*}=\" word=\"${word#*=}\"\n"
        "    fi\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case \"${command:+$command }${COMP_WORDS[i]}\" in\n";
    std::string paths;
    for (const Command& command : commands) {
        if (!command.path.empty()) paths += (paths.empty() ? "" : " | ") + shell_word(command.path);
    }
    out += "            " + paths +
           ") command=\"${command:+$command }${COMP_WORDS[i]}\" ;;\n"
           "        esac\n"
           "    done\n"
           "    case \"$command $before\" in\n";
    for (const Command& command : commands) {
        for (const CLI::Option* option : command.options()) {
            if (option->get_positional() || !takes_value(*option)) continue;
            std::string patterns;
            const auto add = [&](const std::string& flag) {
                patterns += (patterns.empty() ? "" : " | ") + shell_word(command.path + ' ' + flag);
            };
            for (const std::string& name : option->get_lnames()) add("--" + name);
            for (const std::string& name : option->get_snames()) add("-" + name);
            const std::string words = words_of(*option);
            out += "        " + patterns + ") COMPREPLY=($(compgen " +
                   (words.empty() ? std::string("-f") : "-W " + shell_word(words)) +
                   " -P \"$head\" -- \"$word\")); return ;;\n";
        }
    }
    out +=
        "    esac\n"
        "    case \"$command\" in\n";
    for (const Command& command : commands) {
        out += "        " + shell_word(command.path) +
               ")\n            if [[ $word == -* ]]; then\n" +
               "                COMPREPLY=($(compgen -W " + shell_word(joined(flags_of(command))) +
               " -- \"$word\"))\n            else\n                COMPREPLY=($(" +
               offer_after(command) + " -- \"$word\"))\n            fi ;;\n";
    }
    return out + "    esac\n}\ncomplete -F _standings standings\n";
}

// The first sentence of a help text.
std::string brief(const std::string& text) {
    return text.substr(0, text.find_first_of(".;["));
}

std::string fish_script(const std::vector<Command>& commands) {
    std::string out =
        "# Completion for standings.\n"
        "function __standings_at\n"
        "    set -l words (commandline -opc)[2..-1]\n"
        "    set -l names\n"
        "    for word in $words\n"
        "        string match -q -- '-*' $word; or set -a names $word\n"
        "    end\n"
        "    set -l depth (count (string split -n ' ' -- \"$argv\"))\n"
        "    test (count $names) -ge $depth; or return 1\n"
        "    test $depth -eq 0; or test \"$names[1..$depth]\" = \"$argv\"\n"
        "end\n"
        "function __standings_ends_at\n"
        "    set -l words (commandline -opc)[2..-1]\n"
        "    test \"$words\" = \"$argv\"\n"
        "end\n"
        "complete -c standings -f\n";
    for (const Command& command : commands) {
        const std::string at =
            "complete -c standings -n " + shell_word("__standings_at " + command.path);
        const std::string ends_at =
            "complete -c standings -n " + shell_word("__standings_ends_at " + command.path);
        for (const CLI::App* sub : visible_below(*command.app)) {
            out += ends_at + " -a " + sub->get_name() + " -d " +
                   shell_word(brief(sub->get_description())) + '\n';
        }
        for (const CLI::Option* option : command.options()) {
            const std::string words = words_of(*option);
            if (option->get_positional()) {
                if (!words.empty()) out += at + " -a " + shell_word(words) + '\n';
                if (!words.empty() || !is_file(*option)) continue;
                const std::string later = takes_file_later(command)
                                              ? "; and not __standings_ends_at " + command.path
                                              : "";
                out += "complete -c standings -n " +
                       shell_word("__standings_at " + command.path + later) + " -F\n";
                continue;
            }
            out += at;
            for (const std::string& name : option->get_lnames()) out += " -l " + name;
            for (const std::string& name : option->get_snames()) out += " -s " + name;
            if (takes_value(*option)) out += words.empty() ? " -rF" : " -xa " + shell_word(words);
            out += " -d " + shell_word(brief(option->get_description())) + '\n';
        }
    }
    return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
    std::vector<Command> commands;
    collect(app, {}, false, commands);
    if (shell == "fish") return fish_script(commands);
    if (shell == "bash") return bash_script(commands);
    return "#compdef standings\nautoload -U +X bashcompinit && bashcompinit\n" +
           bash_script(commands);
}

}  // namespace standings::cli
