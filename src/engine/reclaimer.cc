#include "engine/reclaimer.h"

#include <utility>

namespace standings::engine {

Reclaimer::Reclaimer() : thread_([this] { work(); }) {}

Reclaimer::~Reclaimer() {
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

void Reclaimer::free_later(ranking::Board board) {
    {
        const std::lock_guard hold(mutex_);
        waiting_.push_back(std::move(board));
    }
    arrived_.notify_one();
}

void Reclaimer::work() {
    std::unique_lock hold(mutex_);
    while (!stopping_) {
        arrived_.wait(hold, [this] { return stopping_ || !waiting_.empty(); });
        std::vector<ranking::Board> taken = std::exchange(waiting_, {});
        hold.unlock();
        taken.clear();
        hold.lock();
    }
}

}  // namespace standings::engine
