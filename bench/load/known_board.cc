#include "known_board.h"

namespace load {

KnownBoard::KnownBoard(std::uint64_t players) : ranks_(players) {
    static constexpr std::uint32_t kNobody = UINT32_MAX;
    std::vector<std::uint32_t> by_score(kMost, kNobody);
    for (std::uint64_t player = 0; player < players; ++player) {
        by_score[static_cast<std::size_t>(score_of(player))] = static_cast<std::uint32_t>(player);
    }
    players_.reserve(players);
    for (auto player = by_score.rbegin(); player != by_score.rend(); ++player) {
        if (*player == kNobody) continue;
        players_.push_back(*player);
        ranks_[*player] = static_cast<std::uint32_t>(players_.size());
    }
}

}  // namespace load
