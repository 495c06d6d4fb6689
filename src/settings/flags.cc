#include "settings/flags.h"

namespace standings::settings {
namespace {

std::string type_name(const Setting& setting) {
    switch (setting.type) {
        case Type::kAddress:
            return "ADDRESS";
        case Type::kPath:
            return "PATH";
        case Type::kBytes:
            return "SIZE";
        case Type::kDuration:
            return "TIME";
        case Type::kCount:
            return "N";
        case Type::kChoice: {
            std::string words;
            for (const std::string_view word : setting.choices) {
                if (!word.empty()) words += (words.empty() ? "" : "|") + std::string(word);
            }
            return words;
        }
        case Type::kText:
        case Type::kFlag:
        case Type::kSecret:
            break;
    }
    return "TEXT";
}

std::string_view group_of(std::size_t index) {
    for (const Group& group : kGroups) {
        if (index >= group.first && index < group.first + group.count) return group.title;
    }
    return "Settings";
}

}  // namespace

std::string flag_help(const Setting& setting) {
    std::string help(setting.help);
    help += " [";
    if (!setting.fallback.empty() && setting.type != Type::kFlag) {
        help += "default: " + std::string(setting.fallback) + "; ";
    }
    return help + std::string(setting.environment) + ']';
}

void Flags::add_to(CLI::App& app, Commands commands) {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        if ((kTable[i].commands & commands) != 0) add_setting(app, i);
    }
    add_config(app, (commands & kServers) != 0);
}

void Flags::add_to(CLI::App& app, std::initializer_list<std::string_view> keys) {
    Commands commands = 0;
    for (const std::string_view key : keys) {
        const std::size_t index = find_key(key).value();
        commands |= kTable[index].commands;
        add_setting(app, index);
    }
    add_config(app, (commands & kServers) != 0);
}

void Flags::add_setting(CLI::App& app, std::size_t index) {
    const Setting& setting = kTable[index];
    used_.set(index);
    const std::string flag(setting.flag);
    const std::string group(group_of(index));
    if (setting.type == Type::kFlag) {
        app.add_flag_function(
               flag,
               [this, index](std::int64_t count) {
                   flags_.push_back({index, count > 0 ? "true" : "false"});
               },
               flag_help(setting))
            // Before the library counts it, which ends in an exception of its own.
            ->check(CLI::Validator(
                [&setting](const std::string& text) {
                    if (parse_value(setting, text)) return std::string();
                    return "it is " + allowed(setting) + ", not '" + text + "'";
                },
                ""))
            ->group(group);
        return;
    }
    app.add_option_function<std::string>(
           flag,
           [this, index](const std::string& text) {
               flags_.push_back({index, text});
           },
           flag_help(setting))
        ->type_name(type_name(setting))
        ->group(group);
    if (setting.type != Type::kSecret) return;
    app.add_option_function<std::string>(
           flag + "-file",
           [this, index](const std::string& text) {
               flags_.push_back({index, text, true});
           },
           "File that holds the key, so that it is not in the list of processes. [" +
               std::string(setting.environment) + "_FILE]")
        ->type_name("PATH")
        ->group(group);
}

void Flags::add_config(CLI::App& app, bool look_in_working_directory) {
    look_in_working_directory_ = look_in_working_directory;
    app.add_option(
           "--config", config_,
           std::string("TOML file with settings. [") +
               (look_in_working_directory ? "default: standings.toml if there is one; " : "") +
               "STANDINGS_CONFIG]")
        ->type_name("PATH")
        ->group("Settings");
}

Inputs Flags::inputs() const {
    Inputs inputs;
    inputs.flags = flags_;
    inputs.used = used_;
    if (!config_.empty()) inputs.config = config_;
    inputs.environment = process_environment();
    inputs.look_in_working_directory = look_in_working_directory_;
    return inputs;
}

}  // namespace standings::settings
