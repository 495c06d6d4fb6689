#include "cli/word_order.h"

namespace standings::cli {
namespace {

// "--rate" of "--rate=5", "-n" of "-n5".
std::string flag_in(const std::string& word) {
    return word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
}

// The flag of any command below; none has two meanings, one with a value and one without.
const CLI::Option* find_below(const CLI::App& app, const std::string& flag) {
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (const CLI::Option* option = sub->get_option_no_throw(flag)) return option;
        if (const CLI::Option* option = find_below(*sub, flag)) return option;
    }
    return nullptr;
}

const CLI::App* find_command(const CLI::App& app, const std::string& word) {
    const auto found =
        app.get_subcommands([&](const CLI::App* one) { return one->check_name(word); });
    return found.empty() ? nullptr : found.front();
}

}  // namespace

std::vector<std::string> with_flags_behind(const CLI::App& app,
                                           const std::vector<std::string>& words) {
    std::vector<std::string> out;
    std::vector<std::string> moved;
    const CLI::App* at = &app;
    std::size_t next = 0;
    for (; next < words.size(); ++next) {
        const std::string& word = words[next];
        if (const CLI::App* command = find_command(*at, word)) {
            at = command;
            out.push_back(word);
            continue;
        }
        if (!word.starts_with('-') || word == "-" || word == "--") break;
        const std::string flag = flag_in(word);
        const CLI::Option* option = nullptr;
        if (at->get_option_no_throw(flag) == nullptr) option = find_below(*at, flag);
        if (option == nullptr) {
            // The last command's own flags begin, or one that it has to refuse.
            if (at->get_subcommands([](const CLI::App*) { return true; }).empty()) break;
            out.push_back(word);
            continue;
        }
        moved.push_back(word);
        const bool value_follows = option->get_items_expected_max() > 0 && word == flag;
        if (value_follows && next + 1 < words.size()) moved.push_back(words[++next]);
    }
    out.insert(out.end(), moved.begin(), moved.end());
    out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(next), words.end());
    return out;
}

}  // namespace standings::cli
