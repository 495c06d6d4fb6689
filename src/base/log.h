// The log enters through here: a level, a sentence, and facts as pairs.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <variant>

namespace standings::base {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kOff };

// One fact. The views live until write() returns.
struct LogField {
    LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
    LogField(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
    LogField(std::string_view name, double number) : key(name), value(number) {}
    template <std::integral Number>
    LogField(std::string_view name, Number number)
        : key(name), value(static_cast<std::int64_t>(number)) {}

    std::string_view key;
    std::variant<std::string_view, std::int64_t, double> value;
};

// Promise: write() never waits for whoever reads the log. Any thread. A level that is off costs
// one relaxed load.
class Log {
  public:
    explicit Log(LogLevel least) : least_(least) {}
    virtual ~Log() = default;

    bool takes(LogLevel level) const { return level >= least_.load(std::memory_order_relaxed); }
    void write(LogLevel level, std::string_view message,
               std::initializer_list<LogField> fields = {}) {
        if (takes(level)) put(level, message, std::span(fields.begin(), fields.size()));
    }
    void write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
        if (takes(level)) put(level, message, fields);
    }

  private:
    virtual void put(LogLevel level, std::string_view message,
                     std::span<const LogField> fields) = 0;

    std::atomic<LogLevel> least_;
};

// Says nothing; for tests, and where no log was given.
class NoLog final : public Log {
  public:
    NoLog() : Log(LogLevel::kOff) {}

  private:
    void put(LogLevel, std::string_view, std::span<const LogField>) override {}
};

inline Log& no_log() {
    static NoLog log;
    return log;
}

}  // namespace standings::base
