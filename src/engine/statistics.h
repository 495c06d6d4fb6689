// What the engine counts about itself.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace standings::engine {

// Durations by length. Any thread.
class DurationHistogram {
  public:
    // Up to 64 us; four for each doubling, so that a quantile is right within a quarter; the last
    // one, from about a second on, has no upper bound.
    static constexpr std::size_t kBuckets = 1 + 4 * 14 + 1;

    void add(std::chrono::nanoseconds duration) {
        const auto us = static_cast<std::uint64_t>(duration.count()) / 1000;
        counts_[bucket_of(us)].fetch_add(1, std::memory_order_relaxed);
        sum_us_.fetch_add(us, std::memory_order_relaxed);
    }
    static constexpr std::size_t bucket_of(std::uint64_t us) {
        if (us < 64) return 0;
        const auto doublings = static_cast<std::size_t>(std::bit_width(us / 64)) - 1;
        const auto quarter = static_cast<std::size_t>((us >> (doublings + 4)) - 4);
        return std::min(1 + 4 * doublings + quarter, kBuckets - 1);
    }
    static constexpr double upper_seconds(std::size_t bucket) {
        if (bucket == 0) return 64e-6;
        const std::uint64_t doublings = (bucket - 1) / 4;
        const std::uint64_t quarters = 5 + (bucket - 1) % 4;
        return 16e-6 * static_cast<double>(quarters << doublings);
    }
    std::uint64_t count(std::size_t bucket) const {
        return counts_[bucket].load(std::memory_order_relaxed);
    }
    double sum_seconds() const {
        return static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / 1e6;
    }

  private:
    std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
    std::atomic<std::uint64_t> sum_us_{0};
};

// Can scores be written?
enum class WriteHealth : std::uint8_t {
    kOk = 0,
    kNoSpace = 1,  // refused cleanly; tried again each second
    kUnknown = 2,  // a commit may or may not be on disk; needs a restart
};

// Written by the committer's thread, read by any.
struct Statistics {
    std::atomic<std::uint64_t> applied_seq{0};
    std::atomic<std::uint64_t> batches{0};
    std::atomic<std::uint64_t> events{0};
    std::atomic<std::uint64_t> rolled_back{0};
    std::atomic<std::uint64_t> dirty_entries{0};
    std::atomic<std::uint64_t> fold_mark{0};
    std::atomic<std::uint64_t> written_back{0};
    std::atomic<std::uint64_t> idempotency_keys{0};
    std::atomic<std::uint64_t> players{0};
    std::atomic<std::uint64_t> database_bytes{0};
    std::atomic<std::uint64_t> wal_bytes{0};
    std::atomic<WriteHealth> health{WriteHealth::kOk};
    DurationHistogram commit_duration;  // append and commit, fsync included
};

}  // namespace standings::engine
