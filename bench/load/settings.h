#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <string>

namespace load {

// What one run does; filled from the command line and then never changed.
struct Settings {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8420;
    std::string protocol = "http";
    std::size_t connections = 64;
    double seconds = 10;
    std::size_t pipeline = 1;
    // Requests a second, of all connections together. None: as fast as answers come.
    std::optional<double> rate;
    std::string mode = "submit";
    std::string board = "b";
    std::uint64_t players = 1'000'000;
    std::string prefix = "player-";
    // The board holds exactly these players, with the scores of KnownBoard and the rule `best`.
    bool known = false;
    std::string key;
    bool idempotency = false;
    // Part of each idempotency key: two runs never use the same one.
    std::string run = std::to_string(std::random_device{}());
    // SHA-1 of a script that a Redis server has loaded, for the modes that need one.
    std::string script;
    std::optional<std::int64_t> score;
    // Where random scores begin.
    std::int64_t score_from = 0;
    std::string log;
    std::optional<int> server_pid;
    std::uint64_t seed = 1;
    // The server is expected to die: a lost connection is then the end, not a failure.
    bool until_lost = false;
    bool json = false;
};

[[noreturn]] inline void fail(const std::string& what) {
    std::cerr << program_invocation_short_name << ": " << what << '\n';
    std::exit(1);
}

}  // namespace load
