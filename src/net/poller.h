// One epoll set for all sockets of a loop.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"

namespace standings::net {

// Hears of its socket's events on the loop's thread.
class PollTarget {
  public:
    // `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLERR, EPOLLHUP bits. An event is told once,
    // when it begins (edge-triggered): read until drained, write until it would block.
    virtual void on_events(std::uint32_t events) = 0;

  protected:
    ~PollTarget() = default;
};

// Asio's own reactor costs one more system call per request: either a receive that finds nothing,
// or an epoll_ctl to wait again. Here a socket is registered once for its whole life, and Asio
// watches the set as a single descriptor. Used on the loop's thread only.
class Poller {
  public:
    static base::Result<std::unique_ptr<Poller>> open();
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    // The set itself, readable while an event waits in it.
    int descriptor() const { return set_; }
    // False when the kernel refuses (out of memory or of watches). Closing the socket removes it.
    bool add(int socket, PollTarget& target);
    // Tells the targets of at most `kBatch` waiting events; returns how many. A target may end
    // while others are told, but must stay in memory until this returns.
    int dispatch();

    // Answers leave when all of a round are made (Connection::on_events): enough of them that a
    // client is woken once for several, few enough that none waits long.
    static constexpr int kBatch = 32;

  private:
    explicit Poller(int set) : set_(set) {}

    const int set_;
};

}  // namespace standings::net
