// The program's log: pretty lines for a person, JSON lines for a machine.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"

namespace standings::server {

enum class LogFormat : std::uint8_t { kPretty, kColour, kJson };

struct LogOptions {
    base::LogLevel level = base::LogLevel::kInfo;
    LogFormat format = LogFormat::kJson;
    std::size_t queue = 1024;  // lines
    int file = 2;
};

// What "auto", "pretty" and "json" mean for `file`; NO_COLOR and TERM=dumb take the colour away.
LogFormat log_format(const std::string& word, int file);
base::LogLevel log_level(const std::string& word);

// One line, without its end: for what is said before there is a log.
std::string log_line(LogFormat format, base::Instant now, base::LogLevel level,
                     std::string_view message, std::span<const base::LogField> fields);

// Promise: lines are written in order by a thread of its own. While nobody reads them, `queue`
// lines wait; the oldest of them give way to newer ones, and a line says how many were lost. The
// end waits for a reader that has stopped for one second at most. Owner: the command that runs.
std::unique_ptr<base::Log> start_log(const LogOptions& options, const base::Clock& clock);

}  // namespace standings::server
