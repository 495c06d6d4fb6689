#include "server/end_signals.h"

#include <pthread.h>

#include <cerrno>
#include <ctime>

namespace standings::server {

EndSignals::EndSignals() : signals_() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    // Of a terminal that is closed; nohup(1) has it ignored.
    struct sigaction hang_up {};
    ::sigaction(SIGHUP, nullptr, &hang_up);
    if (hang_up.sa_handler != SIG_IGN) sigaddset(&signals_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    // A reader of our output that goes away must not take the server along.
    ::signal(SIGPIPE, SIG_IGN);
}

int EndSignals::wait() const {
    int signal = 0;
    while (sigwait(&signals_, &signal) != 0) {
    }
    return signal;
}

std::optional<int> EndSignals::wait_for(std::chrono::milliseconds time) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    const auto rest = std::chrono::nanoseconds(time - seconds);
    const timespec patience{.tv_sec = seconds.count(), .tv_nsec = rest.count()};
    // An interruption counts as the end of the time: the caller comes back anyway.
    const int signal = sigtimedwait(&signals_, nullptr, &patience);
    if (signal < 0) return std::nullopt;
    return signal;
}

}  // namespace standings::server
