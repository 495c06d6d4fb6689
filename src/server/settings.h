// What `standings serve` can be told, from flags and environment.
#pragma once

#include <cstdint>
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
