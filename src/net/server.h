// The tuned HTTP server: one event loop per core, each with its own listening socket.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace standings::net {

// Every bound of the transport; QUALITY.md "Bad input" has the defaults.
struct Limits {
    std::size_t max_target_bytes = 8 * 1024;
    std::size_t max_head_bytes = 16 * 1024;  // 32 KiB at most
    std::size_t max_fields = 100;
    std::size_t max_connections = 0;                 // 0: the file limit - 256
    std::size_t max_connections_per_address = 4096;  // loopback is free
    std::chrono::milliseconds head_timeout{10'000};  // from the first byte of a head to its end
    std::chrono::milliseconds idle_timeout{60'000};  // between requests
    // For a whole body; for a streamed one without any progress.
    std::chrono::milliseconds body_timeout{30'000};
    std::chrono::milliseconds write_timeout{10'000};  // output that nobody reads
    std::size_t max_pipelined = 64;                   // answers owed; more: stop reading
    std::size_t max_unsent_bytes = 1024 * 1024;       // stop reading requests beyond it
    // Memory of requests that are still arriving, over all connections; more is 503.
    std::size_t input_memory_bytes = 256 * 1024 * 1024;
};

// Counted by each loop for itself; read by any thread.
struct Counters {
    std::uint64_t connections_accepted = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t connections_refused = 0;
    std::uint64_t requests = 0;
    std::uint64_t responses_by_class[6] = {};  // [2] = 2xx ...
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t input_bytes = 0;     // held by requests that are still arriving
    std::uint64_t inputs_refused = 0;  // for want of room for them
};

// One event loop and its thread. post() and notify are for any thread, all else for its own.
class Loop {
  public:
    virtual ~Loop() = default;
    // Runs `task` on this loop's thread, in order of posting. Any thread.
    virtual void post(std::function<void()> task) = 0;
    // Runs `task` on this loop's thread after `delay`, unless the loop ends before.
    virtual void after(std::chrono::milliseconds delay, std::function<void()> task) = 0;
    virtual std::size_t index() const = 0;
};

using HandlerFactory = std::function<std::unique_ptr<Handler>(Loop&)>;

class Server {
  public:
    struct Options {
        std::string address = "127.0.0.1";
        std::uint16_t port = 8420;  // 0: a free one
        std::size_t loops = 0;      // 0: one per core that this process may use
        Limits limits = {};
    };

    // Binds and listens (kBusy when the port is taken) and starts the loops. Accepting begins at
    // once.
    static base::Result<std::unique_ptr<Server>> start(const Options& options,
                                                       HandlerFactory make_handler);
    virtual ~Server() = default;

    virtual std::uint16_t port() const = 0;
    virtual std::size_t loop_count() const = 0;
    virtual Loop& loop(std::size_t index) = 0;
    virtual Counters counters() const = 0;

    // Stops accepting, answers what is in flight with Connection: close, closes idle connections.
    // Returns when all connections are gone or `deadline` has passed; then closes the rest.
    virtual void drain(std::chrono::milliseconds deadline) = 0;
    // Ends the loops and joins their threads. Idempotent.
    virtual void stop() = 0;
};

}  // namespace standings::net
