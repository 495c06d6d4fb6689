// What `standings serve` and `demo` can be told, brought to the places that use it.
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
// Reached from this machine only.
bool is_loopback(const ListenAddress& address);

// What the HTTP side takes.
struct FrontSettings {
    net::Server::Options transport = {};  // but address and port
    api::Limits limits = {};
    std::chrono::milliseconds slow_request{1000};
    std::chrono::milliseconds drain_deadline{3000};
    base::Log* log = &base::no_log();
};

// What both take alike.
struct ServerSettings {
    engine::Engine::Options engine = {};  // but the log
    FrontSettings front = {};             // but the log
    LogOptions log = {};
    std::vector<std::string> warnings = {};
};

struct ServeSettings : ServerSettings {
    ListenAddress listen = {"127.0.0.1", 8420};
    std::string data = "./standings-data";
    std::string initial_key;  // empty: as stored, or made on the first start
    bool open = false;
    ledger::SqliteOptions ledger = {};  // but the folder and chance
    jobs::BackupOptions backup = {};    // folder empty: DATA/backups
};

// The game of `standings demo`, which only its own flags choose.
struct DemoGame {
    std::size_t players = 50'000;
    double rate = 50;  // submissions a second; 0: none
    std::uint64_t seed = 1;
    std::chrono::milliseconds length{0};  // 0: until it is ended
};

// Where nothing was said, the demo chooses for itself.
struct DemoSettings : ServerSettings {
    std::optional<ListenAddress> listen = {};  // none: the usual address, or the next free port
    std::optional<bool> open = {};  // the browser; none: where there is a desktop and a terminal
    DemoGame game = {};
};

// What a start refuses of values that are each well-formed: a sentence for each, with its source.
std::vector<std::string> refused_by_start(const settings::Values& values);
// kSettings with all of them, one a line.
base::Result<ServeSettings> serve_settings(const settings::Values& values);
base::Result<DemoSettings> demo_settings(const settings::Values& values, const DemoGame& game);

}  // namespace standings::server
