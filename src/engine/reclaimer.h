// Frees large boards away from the committer and the event loops.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "ranking/board.h"

namespace standings::engine {

// Owner: the engine. Any thread gives; one background thread frees.
class Reclaimer {
  public:
    Reclaimer();
    ~Reclaimer();
    void free_later(ranking::Board board);

  private:
    void work();

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<ranking::Board> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace standings::engine
