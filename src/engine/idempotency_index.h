// Which idempotency keys were used lately, and where their events are.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

#include "base/clock.h"
#include "base/ids.h"

namespace standings::engine {

// Keeps the last `most` keys, none older than `window` of a clock that never jumps: whoever sets
// the wall clock makes no key old. ~45 B a key. Owner and thread: the committer. O(1) a call, but
// for shift().
class IdempotencyIndex {
  public:
    IdempotencyIndex(std::size_t most, std::chrono::milliseconds window)
        : most_(most), window_(window) {}

    // The first event of the request that carried the key.
    std::optional<base::Sequence> find(base::Hash128 key) const;
    // In the order of `seq`, each key once while it is remembered; another use takes the key over.
    void add(base::Hash128 key, base::Sequence seq, base::Monotonic at);
    // Drops what has left the window.
    void expire(base::Monotonic now);
    // Counts all times anew: so much later.
    void shift(base::Monotonic by);
    // Of the events whose keys are remembered the first one; none when there is none.
    std::optional<base::Sequence> oldest() const;
    std::size_t size() const { return keys_.size(); }

  private:
    struct Used {
        base::Hash128 key;
        base::Sequence seq;
        base::Monotonic at;
    };

    const std::size_t most_;
    const std::chrono::milliseconds window_;
    boost::unordered_flat_map<base::Hash128, base::Sequence, std::hash<base::Hash128>> keys_;
    std::deque<Used> order_;  // oldest first
};

}  // namespace standings::engine
