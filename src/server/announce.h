// What a server says of itself: a few lines on a terminal, JSON lines otherwise.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"

namespace standings::server {

struct StartNotice {
    std::string url;
    std::string data;
    std::size_t boards;
    std::uint64_t players;
    std::chrono::milliseconds took;
    std::optional<std::string> made_key;
    std::string key_file;  // where it was written; empty: show it
};

void announce_start(const StartNotice& notice);
// What has just happened, in one line.
void announce_event(const std::string& event);
// Something that an operator should know.
void announce_note(const std::string& note);
void announce_stop(int signal);
void announce_failure(const base::Error& error);

}  // namespace standings::server
