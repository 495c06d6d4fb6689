#include "engine/registry.h"

#include <mutex>
#include <shared_mutex>

#include "base/check.h"

namespace standings::engine {

std::shared_ptr<HostedBoard> Registry::find(std::string_view slug) const {
    const std::shared_lock hold(lock_);
    const auto found = by_slug_.find(slug);
    return found == by_slug_.end() ? nullptr : found->second;
}

HostedBoard* Registry::find(base::RankingId ranking) const {
    const auto found = by_ranking_.find(ranking);
    return found == by_ranking_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<HostedBoard>> Registry::list(
    std::string_view after, std::size_t limit,
    const std::function<bool(const HostedBoard&)>& wanted) const {
    std::vector<std::shared_ptr<HostedBoard>> out;
    const std::shared_lock hold(lock_);
    for (auto at = by_slug_.upper_bound(after); at != by_slug_.end() && out.size() < limit; ++at) {
        if (wanted(*at->second)) out.push_back(at->second);
    }
    return out;
}

std::size_t Registry::size() const {
    const std::shared_lock hold(lock_);
    return by_slug_.size();
}

void Registry::for_each(const std::function<void(HostedBoard&)>& visit) const {
    const std::shared_lock hold(lock_);
    for (const auto& [slug, board] : by_slug_) visit(*board);
}

void Registry::add(std::shared_ptr<HostedBoard> board) {
    by_ranking_[board->committed_record().ranking] = board.get();
    const std::unique_lock hold(lock_);
    const bool is_new = by_slug_.emplace(board->slug(), std::move(board)).second;
    CHECK(is_new);
}

void Registry::remove(HostedBoard& board) {
    by_ranking_.erase(board.committed_record().ranking);
    // Freed outside the lock where this was the last owner.
    std::shared_ptr<HostedBoard> last;
    const std::unique_lock hold(lock_);
    const auto found = by_slug_.find(board.slug());
    CHECK(found != by_slug_.end() && found->second.get() == &board);
    last = std::move(found->second);
    by_slug_.erase(found);
}

void Registry::rename_ranking(base::RankingId from, base::RankingId to) {
    const auto found = by_ranking_.find(from);
    CHECK(found != by_ranking_.end());
    HostedBoard* board = found->second;
    by_ranking_.erase(found);
    by_ranking_[to] = board;
}

}  // namespace standings::engine
