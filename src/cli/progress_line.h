// How far a command has come: a line that moves on a terminal, a line every five seconds elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace standings::cli {

// Silent for work that ends within a second. Writes to stderr. Thread: one.
class ProgressLine {
  public:
    explicit ProgressLine(std::string doing);
    // Takes the line away.
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    // `total` 0: not known. Cheap; call it as often as you like.
    void show(std::string_view part, std::uint64_t done, std::uint64_t total,
              std::string_view unit);

  private:
    using Clock = std::chrono::steady_clock;

    const std::string doing_;
    const bool terminal_;
    const Clock::time_point began_;
    Clock::time_point next_;
    bool shown_ = false;
};

// "1 board", "2 boards".
std::string counted(std::uint64_t number, const std::string& one, const std::string& many);
// "1.2 GB", "340 KB".
std::string readable_bytes(std::uint64_t bytes);

}  // namespace standings::cli
