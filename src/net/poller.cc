#include "net/poller.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace standings::net {

base::Result<std::unique_ptr<Poller>> Poller::open() {
    const int set = ::epoll_create1(EPOLL_CLOEXEC);
    if (set < 0) {
        return base::Error{base::ErrorCode::kIo,
                           "epoll_create1: " + std::generic_category().message(errno)};
    }
    return std::unique_ptr<Poller>(new Poller(set));
}

Poller::~Poller() {
    ::close(set_);
}

bool Poller::add(int socket, PollTarget& target) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &target;
    return ::epoll_ctl(set_, EPOLL_CTL_ADD, socket, &event) == 0;
}

int Poller::dispatch() {
    std::array<epoll_event, kBatch> events;
    const int count = ::epoll_wait(set_, events.data(), kBatch, 0);
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        static_cast<PollTarget*>(event.data.ptr)->on_events(event.events);
    }
    return count;
}

}  // namespace standings::net
