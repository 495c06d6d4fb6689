#pragma once

#include <cstdint>
#include <vector>

namespace load {

// The board that bench/players.py makes, known without asking anybody: no two scores are equal, so
// each player has one rank and each rank one player. Costs 40 MB and 8 bytes a player.
class KnownBoard {
  public:
    static constexpr std::uint64_t kMost = 10'000'000;

    // `players` is at most kMost.
    explicit KnownBoard(std::uint64_t players);

    static std::int64_t score_of(std::uint64_t player) {
        return static_cast<std::int64_t>(player * 7919 % kMost);
    }
    std::uint64_t size() const { return players_.size(); }
    // 1 is the best.
    std::uint64_t rank_of(std::uint64_t player) const { return ranks_[player]; }
    std::uint64_t player_at(std::uint64_t rank) const { return players_[rank - 1]; }

  private:
    std::vector<std::uint32_t> ranks_;    // by player
    std::vector<std::uint32_t> players_;  // by rank, the best first
};

}  // namespace load
