#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace load {

// A socket that acts when it is ready.
class Source {
  public:
    virtual ~Source() = default;
    // `events` are those of epoll.
    virtual void on_ready(std::uint32_t events) = 0;
};

// Waits for many sockets. A source lives longer than it.
class Poll {
  public:
    Poll();
    ~Poll();
    Poll(const Poll&) = delete;
    Poll& operator=(const Poll&) = delete;

    void add(int socket, std::uint32_t events, Source& source);
    void change(int socket, std::uint32_t events, Source& source);
    // Waits up to `most` for sources that are ready, and lets each act. How many did; less than 0:
    // this process was stopped or got a signal meanwhile.
    int run(std::chrono::nanoseconds most);

  private:
    int epoll_;
    std::vector<epoll_event> events_;
};

}  // namespace load
