#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "message.h"
#include "poll.h"
#include "replay.h"
#include "traffic.h"

namespace load {

class Crowd;
struct WatchSettings;

// What a sampled watcher had, and since when.
struct Arrival {
    std::uint64_t seq;
    Clock::time_point at;
};

// One client with a WebSocket that watches one view, and replays what it hears. When it comes back
// it goes on from the rows that it has.
class Watcher final : public Source {
  public:
    Watcher(Crowd& crowd, std::size_t number, View view);
    ~Watcher() override { close(); }
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    void connect();
    void on_ready(std::uint32_t events) override;

    // None: it has never had any.
    const SharedRows& rows() const { return rows_; }
    const std::vector<Arrival>& arrivals() const { return arrivals_; }

  private:
    enum class State : std::uint8_t { kClosed, kConnecting, kUpgrading, kWatching };

    void connected();
    void receive();
    // How many of the bytes were used.
    std::size_t take(std::string_view bytes);
    std::size_t take_upgrade(std::string_view bytes);
    void hear(std::string_view text);
    void take_answer(const Message& answer);
    void take_rows(const Message& message);
    void has_rows();
    void send(unsigned char first, std::string_view payload);
    void lose(const std::string& why);
    void close();

    Crowd& crowd_;
    const std::size_t number_;
    const View view_;
    const std::string name_;
    State state_ = State::kClosed;
    int socket_ = -1;
    std::string partial_;
    SharedRows rows_;
    bool has_rows_ = false;  // over this connection
    bool resumes_ = false;   // the next delta may fold several
    std::optional<Clock::time_point> comes_back_;
    Clock::time_point began_{};
    std::vector<Arrival> arrivals_;
};

// A client that watches and never reads a byte.
class DeafSocket final : public Source {
  public:
    DeafSocket(const WatchSettings& settings, Poll& poll, const View& view);
    ~DeafSocket() override { close(); }
    DeafSocket(const DeafSocket&) = delete;
    DeafSocket& operator=(const DeafSocket&) = delete;

    void on_ready(std::uint32_t events) override;
    // How long the server kept it; none while it does.
    std::optional<double> seconds() const { return seconds_; }

  private:
    void close();

    Poll& poll_;
    int socket_;
    Clock::time_point began_;
    std::string said_;  // when it is connected
    std::optional<double> seconds_;
};

}  // namespace load
