// What a server says of itself: a few lines for a person on a terminal, the log otherwise.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"

namespace standings::server {

struct StartNotice {
    std::string url;
    std::string data;
    std::size_t boards;
    std::uint64_t players;
    std::chrono::milliseconds took;
    std::optional<std::string> made_key;
    std::string key_file;  // where it waits until a terminal has shown it; empty: nowhere
};

// On standard output when that is a terminal, else into the log; a key only on the terminal.
void announce_start(base::Log& log, const StartNotice& notice);
void announce_stop(base::Log& log, int signal);
// Of the settings: what is odd but harmless.
void announce_warnings(base::Log& log, const std::vector<std::string>& warnings);
// Something that a person who looks on would like to hear.
void announce_event(base::Log& log, const std::string& event);
// Of a server, on standard error, whether there is a log yet or not: a line for a person, and one
// of the log where that is JSON. Wrong usage and settings are for a person everywhere.
void announce_failure(const base::Error& error);

}  // namespace standings::server
