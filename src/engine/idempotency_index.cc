#include "engine/idempotency_index.h"

namespace standings::engine {

std::optional<base::Sequence> IdempotencyIndex::find(base::Hash128 key) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return std::nullopt;
    return found->second;
}

void IdempotencyIndex::add(base::Hash128 key, base::Sequence seq, base::Monotonic at) {
    if (!keys_.try_emplace(key, seq).second) return;
    order_.push_back({key, seq, at});
    expire(at);
}

void IdempotencyIndex::expire(base::Monotonic now) {
    while (!order_.empty() && (order_.size() > most_ || now - order_.front().at > window_)) {
        keys_.erase(order_.front().key);
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
