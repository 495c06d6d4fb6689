#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "poll.h"
#include "settings.h"
#include "traffic.h"

namespace load {

struct Acknowledged {
    Pending request;
    std::string seq;  // "-": no answer came
};

// What was counted; latencies in nanoseconds.
struct Tally {
    std::vector<std::uint32_t> latencies;
    bool keeps_log = false;
    std::vector<Acknowledged> log;
    std::uint64_t lost_connections = 0;

    void count(const Pending& request);
    double milliseconds_at(double share);
};

class Clients;

class Connection final : public Source {
  public:
    Connection(const Settings& settings, Traffic& traffic, Tally& tally, Clients& clients);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override { close(); }

    int socket() const { return socket_; }
    bool is_open() const { return socket_ >= 0; }
    bool is_idle() const { return pending_.empty(); }

    // Sends as many requests as --pipeline says, in one piece. `due`: when they should have been.
    void send_requests(std::optional<Clock::time_point> due = std::nullopt);
    void on_ready(std::uint32_t events) override;
    // Ends the connection; what is unanswered goes into the log as such.
    void close();

  private:
    // Takes what has come. The connection may be closed afterwards.
    void receive();
    void take(const Answer& answer);
    void lose();

    const Settings& settings_;
    Traffic& traffic_;
    Tally& tally_;
    Clients& clients_;
    int socket_ = -1;
    std::deque<Pending> pending_;
    std::string buffer_;
};

// Keep-alive connections to one server. Each asks again as soon as it is answered, or with a rate
// all of them together so many times a second: what finds no idle connection when it is due is sent
// late, and its latency counts from when it was due.
class Clients {
  public:
    Clients(const Settings& settings, Traffic& traffic, Tally& tally, Poll& poll);

    void begin(Clock::time_point now);
    // Sends what is due by now. Only with a rate there is something.
    void send_due(Clock::time_point now);
    // When there is something to send; nothing is before an answer comes.
    Clock::time_point next_due() const;
    // What is under way is waited for.
    void stop() { is_stopped_ = true; }
    bool is_stopped() const { return is_stopped_; }

    bool are_busy() const;
    bool are_open() const;

  private:
    friend class Connection;
    void answered(Connection& connection);

    const Settings& settings_;
    std::deque<Connection> connections_;
    // With a rate: those without a request, the longest idle first, so that the server ends none.
    std::deque<Connection*> idle_;
    Clock::time_point next_due_{};
    bool is_stopped_ = false;
};

}  // namespace load
