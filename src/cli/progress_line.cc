#include "cli/progress_line.h"

#include <unistd.h>

#include <cstdio>
#include <iterator>
#include <utility>

namespace standings::cli {
namespace {

constexpr auto kFirst = std::chrono::seconds(1);
constexpr auto kOnTerminal = std::chrono::milliseconds(100);
constexpr auto kElsewhere = std::chrono::seconds(5);

std::string amount(std::uint64_t number, std::string_view unit) {
    if (unit == "bytes") return readable_bytes(number);
    return std::to_string(number) + (unit.empty() ? "" : " ") + std::string(unit);
}

std::string time_text(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(seconds) / 60,
                  static_cast<int>(seconds) % 60);
    return text;
}

}  // namespace

std::string counted(std::uint64_t number, const std::string& one, const std::string& many) {
    return std::to_string(number) + ' ' + (number == 1 ? one : many);
}

std::string readable_bytes(std::uint64_t bytes) {
    constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1000 && unit + 1 < std::size(kUnits)) {
        value /= 1000;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value,
                  kUnits[unit]);
    return text;
}

ProgressLine::ProgressLine(std::string doing)
    : doing_(std::move(doing)),
      terminal_(isatty(STDERR_FILENO) == 1),
      began_(Clock::now()),
      next_(began_ + (terminal_ ? Clock::duration(kFirst) : Clock::duration(kElsewhere))) {}

ProgressLine::~ProgressLine() {
    if (shown_ && terminal_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::show(std::string_view part, std::uint64_t done, std::uint64_t total,
                        std::string_view unit) {
    const auto now = Clock::now();
    if (now < next_) return;
    next_ = now + (terminal_ ? Clock::duration(kOnTerminal) : Clock::duration(kElsewhere));
    shown_ = true;
    std::string line = doing_;
    if (!part.empty()) line += ": " + std::string(part);
    if (done > 0 || total > 0) line += "  " + amount(done, unit);
    const bool has_end = total > 0 && done <= total;
    if (has_end) {
        line += " of " + amount(total, unit);
        line += "  " + std::to_string(100 * done / total) + " %";
    }
    if (done > 0) {
        const double spent = std::chrono::duration<double>(now - began_).count();
        const double rate = static_cast<double>(done) / spent;
        line += "  " + amount(static_cast<std::uint64_t>(rate), unit) + "/s";
        if (has_end) line += "  " + time_text(static_cast<double>(total - done) / rate) + " left";
    }
    line = terminal_ ? "\r" + line + "\033[K" : line + "\n";
    std::fputs(line.c_str(), stderr);
    std::fflush(stderr);
}

}  // namespace standings::cli
