// When to come back to a server that was lost.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/random.h"

namespace standings::cli {

// Never before the server has asked for, later each time in vain, and spread, so that not all who
// lost it come at once. Owner and thread: the command.
class Comeback {
  public:
    using milliseconds = std::chrono::milliseconds;
    static constexpr milliseconds kUsual{2000};
    static constexpr milliseconds kLongest{10'000};
    // What a server may ask for.
    static constexpr milliseconds kMostAsked{60'000};

    explicit Comeback(base::Random& random) : random_(random) {}

    // The server wants nobody back before this time.
    void asked(milliseconds pause) { asked_ = std::clamp(pause, milliseconds(0), kMostAsked); }
    void arrived() { misses_ = 0; }

    milliseconds next_pause() {
        constexpr int kMostDoublings = 4;
        const milliseconds grown = std::max(asked_, milliseconds(100)) * (1 << misses_);
        misses_ = std::min(misses_ + 1, kMostDoublings);
        const milliseconds pause = std::max(asked_, std::min(grown, kLongest));
        const auto half = static_cast<std::uint64_t>(pause.count() / 2 + 1);
        return pause + milliseconds(random_.next() % half);
    }

  private:
    base::Random& random_;
    milliseconds asked_ = kUsual;
    int misses_ = 0;
};

}  // namespace standings::cli
