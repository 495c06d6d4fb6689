// The signals that end a server, taken in one place.
#pragma once

#include <signal.h>

#include <chrono>
#include <optional>

namespace standings::server {

// Made before any thread starts: from then on SIGTERM, SIGINT and SIGHUP reach nobody but wait()
// and wait_for(), and SIGPIPE nobody. Owner and thread: whoever runs the server.
class EndSignals {
  public:
    EndSignals();

    // The signal, once it comes.
    int wait() const;
    // None when none has come in this time.
    std::optional<int> wait_for(std::chrono::milliseconds time) const;

  private:
    sigset_t signals_;
};

}  // namespace standings::server
