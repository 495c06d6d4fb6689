// Chance in the shapes that a game needs, drawn from a generator that the seed fixes.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

namespace standings::demo {

// The same numbers for the same seed, on every machine: nothing here is left to a library's
// distributions. SplitMix64. One thread; a few nanoseconds a draw.
class Chance {
  public:
    explicit Chance(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t x = state_ += 0x9E3779B97F4A7C15ULL;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
        return x ^ (x >> 31);
    }
    // 0 <= x < 1.
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    // 0 .. limit - 1; `limit` > 0.
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }
    bool happens(double probability) { return unit() < probability; }

    double between(double low, double high) { return low + (high - low) * unit(); }
    // Mean 0, deviation 1.
    double normal() {
        const double radius = std::sqrt(-2.0 * std::log(1.0 - unit()));
        return radius * std::cos(2.0 * std::numbers::pi * unit());
    }
    // Mean 1.
    double exponential() { return -std::log(1.0 - unit()); }
    // A count with this mean; small ones only, the time grows with it.
    int poisson(double mean) {
        const double limit = std::exp(-mean);
        int count = 0;
        for (double product = unit(); product > limit; product *= unit()) ++count;
        return count;
    }

  private:
    std::uint64_t state_;
};

}  // namespace standings::demo
