#include "engine/idempotency_index.h"

namespace standings::engine {

std::optional<base::Sequence> IdempotencyIndex::find(base::Hash128 key) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return std::nullopt;
    return found->second;
}

void IdempotencyIndex::add(base::Hash128 key, base::Sequence seq, base::Monotonic at) {
    // Used again after it was forgotten: a start may read both uses, and the newer one counts.
    if (const auto [entry, is_new] = keys_.try_emplace(key, seq); !is_new) entry->second = seq;
    order_.push_back({key, seq, at});
    expire(at);
}

void IdempotencyIndex::expire(base::Monotonic now) {
    while (!order_.empty() && (order_.size() > most_ || now - order_.front().at > window_)) {
        const auto found = keys_.find(order_.front().key);
        if (found != keys_.end() && found->second == order_.front().seq) keys_.erase(found);
        order_.pop_front();
    }
}

void IdempotencyIndex::shift(base::Monotonic by) {
    for (Used& used : order_) used.at += by;
}

std::optional<base::Sequence> IdempotencyIndex::oldest() const {
    if (order_.empty()) return std::nullopt;
    return order_.front().seq;
}

}  // namespace standings::engine
