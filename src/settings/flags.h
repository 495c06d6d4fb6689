// The flags of a command, from the table.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "settings/values.h"

namespace standings::settings {

// Collects what the flags of one command say. Outlives the parser. Main thread.
class Flags {
  public:
    // Adds a flag for each setting in the table that `commands` take, and --config.
    void add_to(CLI::App& app, Commands commands);
    // Only these settings; ./standings.toml is read where one of them is a server's.
    void add_to(CLI::App& app, std::initializer_list<std::string_view> keys);
    // A setting that the command takes by a flag of its own.
    void also_use(std::string_view key) { used_.set(find_key(key).value()); }

    // With the process's environment.
    Inputs inputs() const;
    base::Result<Values> settle() const { return Values::settle(inputs()); }

  private:
    void add_setting(CLI::App& app, std::size_t index);
    void add_config(CLI::App& app, bool look_in_working_directory);

    std::vector<Flag> flags_;
    Chosen used_;
    std::string config_;
    bool look_in_working_directory_ = false;
};

// The help of a setting with its default and environment name.
std::string flag_help(const Setting& setting);

}  // namespace standings::settings
