#include "poll.h"

#include <unistd.h>

#include <algorithm>

namespace load {

Poll::Poll() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), events_(256) {}

Poll::~Poll() {
    ::close(epoll_);
}

void Poll::add(int socket, std::uint32_t events, Source& source) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &source;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
}

void Poll::change(int socket, std::uint32_t events, Source& source) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &source;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event);
}

int Poll::run(std::chrono::nanoseconds most) {
    const auto wait = std::max(most, std::chrono::nanoseconds(0));
    timespec time{};
    time.tv_sec = wait.count() / 1'000'000'000;
    time.tv_nsec = wait.count() % 1'000'000'000;
    const int count =
        ::epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &time, nullptr);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events_[static_cast<std::size_t>(i)];
        static_cast<Source*>(event.data.ptr)->on_ready(event.events);
    }
    return count;
}

}  // namespace load
