#include "engine/write_queue.h"

#include <algorithm>
#include <utility>

namespace standings::engine {

WriteQueue::Push WriteQueue::push_single(std::unique_ptr<Operation>& operation,
                                         std::size_t changes) {
    std::unique_lock hold(mutex_);
    if (closed_) return Push::kClosed;
    if (single_changes_ >= bounds_.singles) return Push::kFull;
    single_changes_ += changes;
    singles_.push_back({std::move(operation), changes});
    wake(hold);
    return Push::kTaken;
}

WriteQueue::Push WriteQueue::push_bulk(std::unique_ptr<Operation>& operation, std::size_t changes) {
    std::unique_lock hold(mutex_);
    if (closed_) return Push::kClosed;
    if (bulk_changes_ >= bounds_.bulk_changes) return Push::kFull;
    bulk_changes_ += changes;
    bulk_.push_back({std::move(operation), changes});
    wake(hold);
    return Push::kTaken;
}

void WriteQueue::wake(std::unique_lock<std::mutex>& hold) {
    const bool asleep = std::exchange(committer_sleeps_, false);
    hold.unlock();
    if (asleep) arrived_.notify_one();
}

std::size_t WriteQueue::move_some(std::deque<Waiting>& from, std::size_t budget,
                                  std::vector<std::unique_ptr<Operation>>& to) {
    std::size_t moved = 0;
    // The first one always fits, so that a weight beyond the budget cannot wait for ever.
    while (!from.empty() && (moved == 0 || moved + from.front().changes <= budget)) {
        moved += from.front().changes;
        to.push_back(std::move(from.front().operation));
        from.pop_front();
    }
    return moved;
}

std::vector<std::unique_ptr<Operation>> WriteQueue::take(std::optional<base::Monotonic> patience) {
    std::unique_lock hold(mutex_);
    const auto ready = [this] { return !singles_.empty() || !bulk_.empty() || closed_; };
    if (!ready()) {
        committer_sleeps_ = true;
        const auto woken = [&] { return ready(); };
        if (patience) {
            arrived_.wait_for(hold, *patience, woken);
        } else {
            arrived_.wait(hold, woken);
        }
        committer_sleeps_ = false;
    }

    std::vector<std::unique_ptr<Operation>> batch;
    batch.reserve(std::min(singles_.size() + bulk_.size(), bounds_.batch_changes));
    std::size_t taken = 0;
    if (!bulk_.empty()) {
        const auto share = singles_.empty() ? bounds_.batch_changes : bounds_.batch_changes / 2;
        taken = move_some(bulk_, share, batch);
        bulk_changes_ -= taken;
    }
    const auto left = bounds_.batch_changes - std::min(taken, bounds_.batch_changes);
    if (!singles_.empty()) {
        single_changes_ -= move_some(singles_, std::max<std::size_t>(left, 1), batch);
    }
    return batch;
}

void WriteQueue::close() {
    {
        const std::unique_lock hold(mutex_);
        closed_ = true;
    }
    arrived_.notify_one();
}

bool WriteQueue::closed_and_empty() const {
    const std::unique_lock hold(mutex_);
    return closed_ && singles_.empty() && bulk_.empty();
}

std::size_t WriteQueue::depth() const {
    const std::unique_lock hold(mutex_);
    return singles_.size() + bulk_.size();
}

}  // namespace standings::engine
