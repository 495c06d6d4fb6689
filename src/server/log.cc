#include "server/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

// The compiled library would be one more file to ship.
#define SPDLOG_HEADER_ONLY
#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::server {
namespace {

using base::LogField;
using base::LogLevel;

constexpr auto kFarewell = std::chrono::seconds(1);
constexpr int kPollMs = 50;
// A pipe that poll() calls writable takes as much without waiting (PIPE_BUF).
constexpr std::size_t kPieceBytes = 4096;

constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warning", "error", "off"};

std::string_view name_of(LogLevel level) {
    return kLevels[static_cast<std::size_t>(level)];
}

void append_double(std::string& out, double number) {
    char digits[32];
    const auto end =
        std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed, 3).ptr;
    out.append(digits, end);
}

void append_json_value(std::string& out, const LogField& field) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        text::append_json_string(out, text::as_utf8(*text));
    } else if (const auto* whole = std::get_if<std::int64_t>(&field.value)) {
        text::append_number(out, *whole);
    } else {
        append_double(out, std::get<double>(field.value));
    }
}

std::string json_line(base::Instant now, LogLevel level, std::string_view message,
                      std::span<const LogField> fields) {
    std::string line = "{";
    text::append_member(line, "time", base::rfc3339(now));
    line += ',';
    text::append_member(line, "level", name_of(level));
    line += ',';
    text::append_member(line, "message", text::as_utf8(message));
    for (const LogField& field : fields) {
        line += ',';
        text::append_key(line, field.key);
        append_json_value(line, field);
    }
    return line + '}';
}

// What a terminal would obey is shown instead.
void append_visible(std::string& out, std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7F) {
            out += c;
        } else {
            constexpr char kHex[] = "0123456789abcdef";
            out += "\\x";
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
}

std::string pretty_line(bool colour, base::Instant now, LogLevel level, std::string_view message,
                        std::span<const LogField> fields) {
    constexpr std::array<std::string_view, 4> kWords = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    constexpr std::array<std::string_view, 4> kColours = {"\x1b[2m", "\x1b[36m", "\x1b[33m",
                                                          "\x1b[31m"};
    constexpr std::string_view kPlain = "\x1b[0m";
    const auto at = std::min<std::size_t>(static_cast<std::size_t>(level), 3);
    std::string line = base::rfc3339(now).substr(11, 12) + ' ';
    if (colour) line += kColours[at];
    line += kWords[at];
    if (colour) line += kPlain;
    line += ' ';
    append_visible(line, message);
    for (const LogField& field : fields) {
        line += colour ? " \x1b[2m" : " ";
        line += field.key;
        line += '=';
        if (colour) line += kPlain;
        if (const auto* text = std::get_if<std::string_view>(&field.value)) {
            append_visible(line, *text);
        } else {
            append_json_value(line, field);
        }
    }
    return line;
}

// Writes lines to a file that may have stopped reading. Thread: the pool's one.
class PatientSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    PatientSink(const LogOptions& options, const base::Clock& clock)
        : options_(options), clock_(clock) {
        // Lines come ready.
        set_formatter_(std::make_unique<spdlog::pattern_formatter>(
            "%v", spdlog::pattern_time_type::local, "\n"));
    }

    void watch(spdlog::details::thread_pool* pool) { pool_ = pool; }
    // From now on a reader that has stopped is waited for until kFarewell has passed.
    void end() { ends_at_ = (clock_.monotonic() + kFarewell).count(); }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        tell_losses();
        spdlog::memory_buf_t text;
        formatter_->format(message, text);
        write(std::string_view(text.data(), text.size()));
    }
    void flush_() override {}

  private:
    void tell_losses() {
        if (pool_ == nullptr) return;
        const std::size_t lost = pool_.load()->overrun_counter();
        if (lost == told_losses_) return;
        const LogField fields[] = {{"lines", lost - told_losses_}};
        told_losses_ = lost;
        write(log_line(options_.format, clock_.now(), LogLevel::kWarning,
                       "the log was read too slowly and lost lines", fields) +
              '\n');
    }

    void write(std::string_view text) {
        while (!text.empty()) {
            pollfd poll{.fd = options_.file, .events = POLLOUT, .revents = 0};
            const auto ends_at = ends_at_.load();
            const bool is_over = ends_at != 0 && clock_.monotonic().count() >= ends_at;
            if (::poll(&poll, 1, is_over ? 0 : kPollMs) <= 0) {
                if (is_over) return;
                continue;
            }
            const auto written =
                ::write(options_.file, text.data(), std::min(text.size(), kPieceBytes));
            if (written < 0 && errno != EINTR && errno != EAGAIN) return;  // nobody will read it
            if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
        }
    }

    const LogOptions options_;
    const base::Clock& clock_;
    std::atomic<spdlog::details::thread_pool*> pool_{nullptr};
    std::size_t told_losses_ = 0;
    std::atomic<std::int64_t> ends_at_{0};
};

class SpdLog final : public base::Log {
  public:
    SpdLog(const LogOptions& options, const base::Clock& clock)
        : base::Log(options.level),
          format_(options.format),
          clock_(clock),
          sink_(std::make_shared<PatientSink>(options, clock)),
          pool_(std::make_shared<spdlog::details::thread_pool>(options.queue, 1)),
          logger_(std::make_shared<spdlog::async_logger>(
              "standings", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {
        sink_->watch(pool_.get());
        logger_->set_level(spdlog::level::trace);
    }
    ~SpdLog() override {
        sink_->end();
        logger_.reset();
        // Lets the thread write what waits, and joins it.
        pool_.reset();
    }
    SpdLog(const SpdLog&) = delete;
    SpdLog& operator=(const SpdLog&) = delete;

  private:
    void put(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
        const std::string line = log_line(format_, clock_.now(), level, message, fields);
        logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
    }

    const LogFormat format_;
    const base::Clock& clock_;
    std::shared_ptr<PatientSink> sink_;
    std::shared_ptr<spdlog::details::thread_pool> pool_;
    std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace

LogFormat log_format(const std::string& word, int file) {
    if (word == "json") return LogFormat::kJson;
    const bool terminal = ::isatty(file) == 1;
    if (word == "auto" && !terminal) return LogFormat::kJson;
    const char* no_colour = std::getenv("NO_COLOR");
    const char* kind = std::getenv("TERM");
    const bool plain = !terminal || (no_colour != nullptr && *no_colour != '\0') ||
                       (kind != nullptr && std::string_view(kind) == "dumb");
    return plain ? LogFormat::kPretty : LogFormat::kColour;
}

LogLevel log_level(const std::string& word) {
    for (std::size_t i = 0; i < kLevels.size(); ++i) {
        if (kLevels[i] == word) return static_cast<LogLevel>(i);
    }
    return LogLevel::kInfo;
}

std::string log_line(LogFormat format, base::Instant now, LogLevel level, std::string_view message,
                     std::span<const LogField> fields) {
    if (format == LogFormat::kJson) return json_line(now, level, message, fields);
    return pretty_line(format == LogFormat::kColour, now, level, message, fields);
}

std::unique_ptr<base::Log> start_log(const LogOptions& options, const base::Clock& clock) {
    return std::make_unique<SpdLog>(options, clock);
}

}  // namespace standings::server
