// What `standings serve` can be told, from flags and environment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "jobs/backup_options.h"

namespace standings::server {

struct ServeSettings {
    std::string listen = "127.0.0.1:8420";
    std::string data = "./standings-data";
    std::string initial_key;  // empty: as stored, or made on the first start
    bool accept_data_loss = false;
    jobs::BackupOptions backup;  // folder empty: DATA/backups
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

struct ListenAddress {
    std::string host;
    std::uint16_t port;
};
// "127.0.0.1:8420", "[::1]:8420", "localhost:0", ":8420". kSettings with what is wrong.
base::Result<ListenAddress> parse_listen(const std::string& text);

// The value of `name`, or what the file that `name`_FILE names holds, without the line end. Empty
// when neither is set; kSettings when both are, or the file cannot be read.
base::Result<std::string> secret_from_environment(const char* name);

}  // namespace standings::server
