// Compares the ranks that a server gives with those that its database has.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/client_settings.h"

namespace standings::server {

struct RankReport {
    std::uint64_t boards = 0;           // compared
    std::uint64_t rows = 0;             // of those
    std::vector<std::string> moving;    // boards that changed all the time, and were not compared
    std::vector<std::string> hidden;    // private ones that the key may not see; not compared
    std::vector<std::string> findings;  // sentences; at most kMostNamed
    std::uint64_t damages = 0;
    static constexpr std::size_t kMostNamed = 100;

    bool complete() const { return moving.empty() && hidden.empty(); }
};

// Asks the server for every board that it lists or the database has, page by page, and reads the
// same board from the database's view `standings`, which ranks in SQL, at the same seq. A board
// that moves meanwhile is tried again. One that only one of the two has is a finding, where it was
// in no way made, deleted or changed between the two looks. ~10 us a row. `epoch` is the
// database's: kSettings when the server has another one.
base::Result<RankReport> check_ranks(const cli::ClientSettings& server,
                                     const std::filesystem::path& database,
                                     const std::string& epoch);

}  // namespace standings::server
