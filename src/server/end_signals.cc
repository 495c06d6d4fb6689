#include "server/end_signals.h"

#include <pthread.h>

#include <cerrno>
#include <ctime>

namespace standings::server {

EndSignals::EndSignals() : signals_() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
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
