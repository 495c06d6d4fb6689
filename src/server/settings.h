// What `standings serve` can be told, brought to the places that use it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "api/service.h"
#include "base/result.h"
#include "engine/engine.h"
#include "jobs/backup_options.h"
#include "ledger/sqlite/sqlite_ledger.h"
#include "net/server.h"
#include "server/log.h"
#include "settings/values.h"

namespace standings::server {

struct ListenAddress {
    std::string host;
    std::uint16_t port;
};
// "127.0.0.1:8420", "[::1]:8420", "localhost:0", ":8420". kSettings with what is wrong.
base::Result<ListenAddress> parse_listen(const std::string& text);

// What the HTTP side takes.
struct FrontSettings {
    net::Server::Options transport = {};  // but address and port
    api::Limits limits = {};
    std::chrono::milliseconds slow_request{1000};
    std::chrono::milliseconds drain_deadline{3000};
    base::Log* log = &base::no_log();
};

struct ServeSettings {
    ListenAddress listen = {"127.0.0.1", 8420};
    std::string data = "./standings-data";
    std::string initial_key;  // empty: as stored, or made on the first start
    bool open = false;
    ledger::SqliteOptions ledger = {};    // but the folder and chance
    engine::Engine::Options engine = {};  // but the log
    FrontSettings front = {};             // but the log
    jobs::BackupOptions backup = {};      // folder empty: DATA/backups
    LogOptions log = {};
    std::vector<std::string> warnings = {};
};

// What `standings demo` can be told.
struct DemoSettings {
    std::string listen;  // empty: the usual address, or the next free port
    std::size_t players = 50'000;
    double rate = 50;  // submissions a second; 0: none
    std::uint64_t seed = 1;
    std::optional<bool> open;       // the browser; none: where there is a desktop and a terminal
    std::uint32_t for_seconds = 0;  // 0: until it is ended
};

// What a start refuses of values that are each well-formed: a sentence for each, with its source.
std::vector<std::string> refused_by_start(const settings::Values& values);
// kSettings with all of them, one a line.
base::Result<ServeSettings> serve_settings(const settings::Values& values);

}  // namespace standings::server
