#include "base/rw_lock.h"

#include <sched.h>
#include <unistd.h>

namespace standings::base {
namespace {

// Waits a little longer each time: a few dozen pauses, then the CPU goes to somebody else (on one
// core at once, since the holder cannot run meanwhile).
class Backoff {
  public:
    void wait() {
        if (spins_ < limit()) {
            ++spins_;
            __builtin_ia32_pause();
        } else {
            sched_yield();
        }
    }

  private:
    static int limit() {
        static const int kLimit = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 64 : 0;
        return kLimit;
    }
    int spins_ = 0;
};

}  // namespace

void RwLock::lock() {
    Backoff backoff;
    while ((state_.fetch_or(kWriter, std::memory_order_acquire) & kWriter) != 0) backoff.wait();
    while (state_.load(std::memory_order_acquire) != kWriter) backoff.wait();
}

void RwLock::lock_shared_slow() {
    Backoff backoff;
    for (;;) {
        std::uint32_t seen = state_.load(std::memory_order_relaxed);
        if ((seen & kWriter) == 0 &&
            state_.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
            return;
        }
        backoff.wait();
    }
}

}  // namespace standings::base
