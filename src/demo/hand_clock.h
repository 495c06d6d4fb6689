// For tests of the demo: stands still until it is moved.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace standings::demo {

class HandClock final : public base::Clock {
  public:
    base::Instant now() const override { return {1'790'000'000'000 + ms_.load()}; }
    base::Monotonic monotonic() const override { return std::chrono::milliseconds(ms_.load()); }
    void move(std::chrono::milliseconds by) { ms_ += by.count(); }

  private:
    std::atomic<std::int64_t> ms_{0};
};

}  // namespace standings::demo
