// All boards of this server, by name.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/rw_lock.h"
#include "engine/hosted_board.h"

namespace standings::engine {

// Owner: the engine. Threads: any may look up; the committer adds and removes. O(log boards).
class Registry {
  public:
    // None when there is no such board.
    std::shared_ptr<HostedBoard> find(std::string_view slug) const;
    // The committer's way from a row to its board.
    HostedBoard* find(base::RankingId ranking) const;

    // Up to `limit` boards in order of slug, beyond `after`, for which `wanted` holds.
    std::vector<std::shared_ptr<HostedBoard>> list(
        std::string_view after, std::size_t limit,
        const std::function<bool(const HostedBoard&)>& wanted) const;
    std::size_t size() const;
    // Every board, in order of slug.
    void for_each(const std::function<void(HostedBoard&)>& visit) const;

    void add(std::shared_ptr<HostedBoard> board);
    void remove(HostedBoard& board);
    // The board's rows begin a new life.
    void rename_ranking(base::RankingId from, base::RankingId to);

  private:
    mutable base::RwLock lock_;
    std::map<std::string, std::shared_ptr<HostedBoard>, std::less<>> by_slug_;
    // Used by the committer alone.
    std::unordered_map<base::RankingId, HostedBoard*> by_ranking_;
};

}  // namespace standings::engine
