#include "server/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

namespace standings::server {
namespace {

using base::LogField;
using base::LogLevel;

struct Pipe {
    Pipe() { EXPECT_EQ(::pipe(ends), 0); }
    ~Pipe() {
        ::close(ends[0]);
        if (ends[1] >= 0) ::close(ends[1]);
    }
    void close_writer() {
        ::close(ends[1]);
        ends[1] = -1;
    }
    std::string read_all() {
        std::string text;
        char buffer[4096];
        ssize_t got = 0;
        while ((got = ::read(ends[0], buffer, sizeof buffer)) > 0) {
            text.append(buffer, static_cast<std::size_t>(got));
        }
        return text;
    }
    int ends[2] = {-1, -1};
};

const base::SystemClock clock;

TEST(Log, WritesOneJsonObjectALine) {
    const LogField fields[] = {{"request_id", "a\"b\n"}, {"status", 503}, {"duration_ms", 1.5}};
    EXPECT_EQ(log_line(LogFormat::kJson, {0}, LogLevel::kError, "request failed", fields),
              R"({"time":"1970-01-01T00:00:00.000Z","level":"error","message":"request failed",)"
              R"("request_id":"a\"b\n","status":503,"duration_ms":1.500})");
}

TEST(Log, ShowsWhatATerminalWouldObey) {
    const LogField fields[] = {{"path", "/\x1b[31mred\n"}};
    const std::string line = log_line(LogFormat::kPretty, {0}, LogLevel::kInfo, "m", fields);
    EXPECT_EQ(line, "00:00:00.000 INFO  m path=/\\x1b[31mred\\x0a");
}

TEST(Log, TakesWhatItsLevelSays) {
    Pipe pipe;
    {
        const auto log = start_log({.level = LogLevel::kWarning, .file = pipe.ends[1]}, clock);
        EXPECT_FALSE(log->takes(LogLevel::kInfo));
        log->write(LogLevel::kInfo, "quiet");
        log->write(LogLevel::kWarning, "loud");
    }
    pipe.close_writer();
    const std::string text = pipe.read_all();
    EXPECT_EQ(text.find("quiet"), std::string::npos);
    EXPECT_NE(text.find("loud"), std::string::npos);
}

TEST(Log, KeepsTheOrderOfLines) {
    Pipe pipe;
    {
        const auto log = start_log({.file = pipe.ends[1]}, clock);
        for (int i = 0; i < 500; ++i) log->write(LogLevel::kInfo, "line", {{"number", i}});
    }
    pipe.close_writer();
    const std::string text = pipe.read_all();
    std::size_t at = 0;
    for (int i = 0; i < 500; ++i) {
        at = text.find("\"number\":" + std::to_string(i) + "}", at);
        ASSERT_NE(at, std::string::npos) << i;
    }
}

// A pipe of 64 KiB that nobody reads, and far more lines than it and the queue hold.
TEST(Log, NeverWaitsForAReaderThatHasStoppedAndSaysWhatWasLost) {
    Pipe pipe;
    auto log = start_log({.queue = 64, .file = pipe.ends[1]}, clock);
    const std::string text(1000, 'x');
    const auto started = std::chrono::steady_clock::now();
    for (int i = 0; i < 5000; ++i) log->write(LogLevel::kInfo, text);
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));

    std::string read;
    std::thread reader([&] { read = pipe.read_all(); });
    // An end waits a second for it.
    pollfd room{.fd = pipe.ends[1], .events = POLLOUT, .revents = 0};
    EXPECT_EQ(::poll(&room, 1, 60'000), 1);
    log.reset();
    pipe.close_writer();
    reader.join();
    EXPECT_NE(read.find("lost lines"), std::string::npos);
}

TEST(Log, EndsAlthoughNobodyReads) {
    Pipe pipe;
    auto log = start_log({.queue = 1024, .file = pipe.ends[1]}, clock);
    const std::string text(4000, 'x');
    for (int i = 0; i < 2000; ++i) log->write(LogLevel::kInfo, text);
    const auto started = std::chrono::steady_clock::now();
    log.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
}

TEST(Log, IsJsonWhereNobodyLooks) {
    Pipe pipe;
    EXPECT_EQ(log_format("auto", pipe.ends[1]), LogFormat::kJson);
    EXPECT_EQ(log_format("json", pipe.ends[1]), LogFormat::kJson);
    EXPECT_EQ(log_format("pretty", pipe.ends[1]), LogFormat::kPretty);
}

}  // namespace
}  // namespace standings::server
