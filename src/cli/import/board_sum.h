// Counts and sums up who has which score, to compare two places that should agree.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/http_client.h"
#include "ranking/rules.h"

namespace standings::cli {

// The same for the same players and scores, in whatever order they are added. One thread.
class BoardSum {
  public:
    void add(std::string_view player, const ranking::Scores& scores);
    void take_away(std::string_view player, const ranking::Scores& scores);

    std::uint64_t count() const { return count_; }
    // 16 hexadecimal digits.
    std::string checksum() const;
    friend bool operator==(const BoardSum&, const BoardSum&) = default;

  private:
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;  // of the hash of each, modulo 2^64
};

// Of all standings that the server shows for a board, read page by page. Fails with kIo or what the
// server says. `on_page` is told how many there are so far.
base::Result<BoardSum> sum_of_board(HttpClient& client, const std::string& board,
                                    const std::vector<ranking::Column>& columns,
                                    const std::function<void(std::uint64_t)>& on_page);

}  // namespace standings::cli
