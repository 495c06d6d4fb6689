#include "cli/import/progress.h"

#include <unistd.h>

#include <cstdio>

#include "cli/cells.h"

namespace standings::cli {
namespace {

constexpr auto kEveryOnTerminal = std::chrono::milliseconds(200);
constexpr auto kEveryInLog = std::chrono::seconds(5);
constexpr auto kQuiet = std::chrono::seconds(1);

std::string duration(double seconds) {
    const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
    char text[32];
    if (whole >= 3600) {
        std::snprintf(text, sizeof text, "%lu h %02lu min",
                      static_cast<unsigned long>(whole / 3600),
                      static_cast<unsigned long>(whole / 60 % 60));
    } else if (whole >= 60) {
        std::snprintf(text, sizeof text, "%lu min %02lu s", static_cast<unsigned long>(whole / 60),
                      static_cast<unsigned long>(whole % 60));
    } else {
        std::snprintf(text, sizeof text, "%lu s", static_cast<unsigned long>(whole));
    }
    return text;
}

}  // namespace

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
    return text;
}

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1), began_(Clock::now()), last_(began_) {}

void Progress::restart() {
    began_ = last_ = Clock::now();
}

void Progress::tick(const char* doing, const State& state) {
    const auto now = Clock::now();
    const bool due = terminal_ ? now - last_ >= kEveryOnTerminal : now - last_ >= kEveryInLog;
    if (!due || now - began_ < kQuiet) return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - began_).count();
    std::string line = doing;
    if (state.rows > 0) {
        const double rate = static_cast<double>(state.rows) / seconds;
        line = grouped(state.rows) + " rows " + doing + ", " +
               grouped(static_cast<std::uint64_t>(rate)) + "/s";
    }
    if (state.size > 0 && state.position > 0) {
        const double done = static_cast<double>(state.position) / static_cast<double>(state.size);
        char percent[16];
        std::snprintf(percent, sizeof percent, ", %.0f %%", done * 100);
        line += percent;
        if (done < 1) line += ", " + duration(seconds / done * (1 - done)) + " left";
    }
    if (state.rows > 0) line += ", " + grouped(state.rejected) + " rejected";
    if (terminal_) {
        std::fprintf(stderr, "\r\033[K%s", line.c_str());
        shown_ = true;
    } else {
        std::fprintf(stderr, "%s\n", line.c_str());
    }
    std::fflush(stderr);
}

void Progress::clear() {
    if (!shown_) return;
    std::fputs("\r\033[K", stderr);
    shown_ = false;
}

void Progress::say(const std::string& sentence) {
    clear();
    std::fprintf(stderr, "%s\n", printable_lines(sentence).c_str());
}

}  // namespace standings::cli
