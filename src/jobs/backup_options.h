// What an operator says about backups.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/log.h"

namespace standings::jobs {

struct BackupOptions {
    std::chrono::seconds every{0};                  // 0: only when asked
    std::size_t keep = 7;                           // newest ones, after each success; at least 1
    std::uint64_t bytes_per_second = 16'000'000;    // of the copy; at least 1
    std::string folder;                             // DATA/backups
    std::chrono::milliseconds retry_after{60'000};  // a failure of the schedule; then twice as long
    base::Log* log = &base::no_log();
};

}  // namespace standings::jobs
