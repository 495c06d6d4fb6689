// How far a long command is, on standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace standings::cli {

// "1234567" as "1,234,567".
std::string grouped(std::uint64_t number);

// On a terminal one line that is written again five times a second, otherwise a line every 5 s.
// Nothing for what ends within a second. Owner and thread: the command.
class Progress {
  public:
    struct State {
        std::uint64_t position = 0;  // of `size`
        std::uint64_t size = 0;      // 0: unknown
        std::uint64_t rows = 0;
        std::uint64_t rejected = 0;
    };

    Progress();
    ~Progress() { clear(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // Cheap, so call it often. `doing` is a word: "imported".
    void tick(const char* doing, const State& state);
    // Rate and remaining time count from here on.
    void restart();
    // Takes the line off the terminal, so that something else can be written.
    void clear();
    // A sentence of its own, on any output.
    void say(const std::string& sentence);

  private:
    using Clock = std::chrono::steady_clock;
    bool terminal_;
    bool shown_ = false;
    Clock::time_point began_;
    Clock::time_point last_;
};

}  // namespace standings::cli
