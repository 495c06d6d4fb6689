// How much memory requests that have not wholly arrived may hold, over all connections.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace standings::net {

// Shared by the loops; any thread. Each connection is limited by itself already, but ten thousand
// of them together would hold gigabytes. One atomic operation for each piece of memory that a
// request takes: none for one that lies whole in the loop's receive buffer.
class InputMemory {
  public:
    // Who holds more than this is refused once three quarters are gone, so that a crowd of large
    // bodies leaves room for single submissions.
    static constexpr std::size_t kSmallBytes = 16 * 1024;

    explicit InputMemory(std::size_t limit) : limit_(limit) {}

    std::size_t held() const { return held_.load(std::memory_order_relaxed); }
    std::uint64_t refusals() const { return refusals_.load(std::memory_order_relaxed); }

  private:
    friend class HeldInput;

    bool take(std::size_t more, bool small);
    void give_back(std::size_t bytes) { held_.fetch_sub(bytes, std::memory_order_relaxed); }

    const std::size_t limit_;
    std::atomic<std::size_t> held_{0};
    std::atomic<std::uint64_t> refusals_{0};
};

// The part of one request. Given back with its end, so that no way in which a connection can end
// forgets it.
class HeldInput {
  public:
    explicit HeldInput(InputMemory& memory) : memory_(memory) {}
    ~HeldInput() { release(); }
    HeldInput(const HeldInput&) = delete;
    HeldInput& operator=(const HeldInput&) = delete;

    // Holds `bytes` in all, or what it held before if that is more. False when there is no room:
    // then nothing has changed.
    bool grow_to(std::size_t bytes);
    void release();

  private:
    InputMemory& memory_;  // may be gone once nothing is held
    std::size_t bytes_ = 0;
};

}  // namespace standings::net
