// What waits for the committer, in two lanes, so that a bulk load does not make single submissions
// wait.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "engine/operation.h"

namespace standings::engine {

// Threads: any pushes, the committer takes. Bounded; a full lane refuses. Both are O(1) a call.
class WriteQueue {
  public:
    struct Bounds {
        std::size_t singles = 16 * 1024;       // changes; an array weighs as many as it has
        std::size_t bulk_changes = 16 * 1024;  // changes over all bulk operations
        std::size_t batch_changes = 1024;
    };
    explicit WriteQueue(Bounds bounds) : bounds_(bounds) {}

    enum class Push { kTaken, kFull, kClosed };
    // Takes `operation` only when it answers kTaken. `changes` is its weight in a batch.
    Push push_single(std::unique_ptr<Operation>& operation, std::size_t changes = 1);
    Push push_bulk(std::unique_ptr<Operation>& operation, std::size_t changes);

    // Waits until something is there, the queue is closed, or `patience` is over (none: no limit),
    // and takes what fits a batch: while singles wait, bulk gets at most half. Empty: nothing came.
    std::vector<std::unique_ptr<Operation>> take(std::optional<base::Monotonic> patience);

    // No more is taken in; what is inside can still be taken out.
    void close();
    bool closed_and_empty() const;
    std::size_t depth() const;

  private:
    struct Waiting {
        std::unique_ptr<Operation> operation;
        std::size_t changes;
    };

    void wake(std::unique_lock<std::mutex>& hold);
    // Answers how many changes it took.
    static std::size_t move_some(std::deque<Waiting>& from, std::size_t budget,
                                 std::vector<std::unique_ptr<Operation>>& to);

    const Bounds bounds_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Waiting> singles_;
    std::deque<Waiting> bulk_;
    std::size_t single_changes_ = 0;
    std::size_t bulk_changes_ = 0;
    bool committer_sleeps_ = false;
    bool closed_ = false;
};

}  // namespace standings::engine
