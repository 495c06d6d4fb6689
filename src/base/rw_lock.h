// A reader-writer lock for a board: short holds, one writer, a few readers.
#pragma once

#include <atomic>
#include <cstdint>

namespace standings::base {

// Writer first: once the writer waits, no new reader gets in. Spins briefly, then yields the CPU
// (at once on a machine with one). Not recursive. One writer thread at a time.
// Satisfies SharedLockable, so std::unique_lock and std::shared_lock hold it.
class RwLock {
  public:
    void lock();
    void unlock() { state_.store(0, std::memory_order_release); }

    void lock_shared() {
        std::uint32_t seen = state_.load(std::memory_order_relaxed);
        if ((seen & kWriter) == 0 &&
            state_.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
            return;
        }
        lock_shared_slow();
    }
    void unlock_shared() { state_.fetch_sub(1, std::memory_order_release); }

  private:
    static constexpr std::uint32_t kWriter = 1U << 31;

    void lock_shared_slow();

    // The writer's bit (waiting or inside) and the count of readers inside.
    std::atomic<std::uint32_t> state_{0};
};

}  // namespace standings::base
