// Chance enters through here, so that a seed replays a run.
#pragma once

#include <cstdint>
#include <random>
#include <span>

namespace standings::base {

class Random {
  public:
    virtual ~Random() = default;
    // Any thread. Unpredictable where it comes from the system: keys, epochs, hash seeds.
    virtual void fill(std::span<std::byte> out) = 0;

    std::uint64_t next() {
        std::uint64_t value = 0;
        fill(std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }
};

// getrandom(2).
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::byte> out) override;
};

// The same bytes for the same seed. One thread.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
    void fill(std::span<std::byte> out) override;

  private:
    std::mt19937_64 engine_;
};

}  // namespace standings::base
