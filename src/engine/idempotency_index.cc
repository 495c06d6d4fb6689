#include "engine/idempotency_index.h"

namespace standings::engine {

std::optional<base::Sequence> IdempotencyIndex::find(base::Hash128 key) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return std::nullopt;
    return found->second;
}

void IdempotencyIndex::add(base::Hash128 key, base::Sequence seq, base::Instant at) {
    if (!keys_.try_emplace(key, seq).second) return;
    order_.push_back({key, seq, at});
    expire(at);
}

void IdempotencyIndex::expire(base::Instant now) {
    while (!order_.empty() &&
           (order_.size() > most_ || now.ms - order_.front().at.ms > window_.count())) {
        keys_.erase(order_.front().key);
        order_.pop_front();
    }
}

}  // namespace standings::engine
