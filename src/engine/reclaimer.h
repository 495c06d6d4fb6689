// Frees what is left of ended rankings away from the committer and the event loops.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/ids.h"
#include "engine/details_cache.h"
#include "ranking/board.h"

namespace standings::engine {

// Owner: the committer. Any thread gives; one background thread frees, at most once a second.
class Reclaimer {
  public:
    explicit Reclaimer(DetailsCache& details);
    ~Reclaimer();
    // Its rows, and the names that are cached of them.
    void free_later(base::RankingId ranking, ranking::Board rows);

  private:
    struct Ended {
        std::unordered_set<base::RankingId> rankings;
        std::vector<ranking::Board> rows;
    };

    void work();

    DetailsCache& details_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    Ended waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace standings::engine
