#include "net/input_memory.h"

namespace standings::net {

bool InputMemory::take(std::size_t more, bool small) {
    const std::size_t limit = small ? limit_ : limit_ - limit_ / 4;
    std::size_t held = held_.load(std::memory_order_relaxed);
    do {
        if (held > limit || more > limit - held) {
            refusals_.fetch_add(1, std::memory_order_relaxed);
            return false;
        }
    } while (!held_.compare_exchange_weak(held, held + more, std::memory_order_relaxed));
    return true;
}

bool HeldInput::grow_to(std::size_t bytes) {
    if (bytes <= bytes_) return true;
    if (!memory_.take(bytes - bytes_, bytes <= InputMemory::kSmallBytes)) return false;
    bytes_ = bytes;
    return true;
}

void HeldInput::release() {
    if (bytes_ == 0) return;
    memory_.give_back(bytes_);
    bytes_ = 0;
}

}  // namespace standings::net
