// What `standings import` does once it is told.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/client_settings.h"

namespace standings::cli {

struct ImportSettings {
    ClientSettings client;
    std::string file;  // empty: `from`
    std::string from;
    std::string board;
    std::vector<std::string> map;
    std::string create;
    std::string format;
    std::string separator;  // of fields: , ; | or the word tab; empty: as the format says
    std::string rejects;
    std::optional<std::string> again_as;
    std::optional<int> decimals;
    bool as_json = false;  // the summary
    bool dry_run = false;
    bool again = false;
};

// Returns the exit code. Says everything else itself: progress and failures on standard error, the
// summary on standard output.
int run_import(const ImportSettings& settings);

}  // namespace standings::cli
