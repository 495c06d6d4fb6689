#include "net/address_limits.h"

namespace standings::net {

AddressLimits::Verdict AddressLimits::admit(const std::string& key) {
    if (connections_.fetch_add(1, std::memory_order_relaxed) >= max_connections_) {
        connections_.fetch_sub(1, std::memory_order_relaxed);
        return Verdict::kFull;
    }
    if (key.empty()) return Verdict::kWelcome;

    const std::scoped_lock lock(mutex_);
    auto& count = per_address_[key];
    if (count >= max_per_address_) {
        connections_.fetch_sub(1, std::memory_order_relaxed);
        return Verdict::kTooManyOfAddress;
    }
    ++count;
    return Verdict::kWelcome;
}

void AddressLimits::leave(const std::string& key) {
    connections_.fetch_sub(1, std::memory_order_relaxed);
    if (key.empty()) return;
    const std::scoped_lock lock(mutex_);
    const auto found = per_address_.find(key);
    if (found != per_address_.end() && --found->second == 0) per_address_.erase(found);
}

}  // namespace standings::net
