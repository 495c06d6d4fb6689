#include "net/server.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "net/address_limits.h"
#include "net/event_loop.h"
#include "net/input_memory.h"
#include "net/listen.h"

namespace standings::net {
namespace {

// Files that the server wants for everything but connections.
constexpr std::size_t kOtherFiles = 256;

std::size_t available_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
}

std::size_t default_max_connections() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return 1 << 20;
    const auto limit = static_cast<std::size_t>(files.rlim_cur);
    // Of a very small limit, half.
    return std::max<std::size_t>(1, limit > 2 * kOtherFiles ? limit - kOtherFiles : limit / 2);
}

Limits effective(Limits limits) {
    if (limits.max_connections == 0) limits.max_connections = default_max_connections();
    // A head is parsed in the receive buffer and must fit.
    limits.max_head_bytes = std::min(limits.max_head_bytes, EventLoop::kReceiveBytes / 2);
    limits.max_target_bytes = std::min(limits.max_target_bytes, limits.max_head_bytes);
    limits.max_pipelined = std::max<std::size_t>(1, limits.max_pipelined);
    return limits;
}

class AsioServer final : public Server {
  public:
    AsioServer(const Limits& limits, std::uint16_t port)
        : addresses_(limits.max_connections, limits.max_connections_per_address),
          input_memory_(limits.input_memory_bytes),
          port_(port) {}
    ~AsioServer() override { stop(); }

    base::Result<void> add_loop(const Limits& limits, int listener) {
        auto loop = EventLoop::make(loops_.size(), limits, {addresses_, input_memory_}, listener);
        if (!loop) return loop.error();
        loops_.push_back(std::move(*loop));
        return {};
    }
    void run(HandlerFactory make_handler) {
        make_handler_ = std::move(make_handler);
        for (const auto& loop : loops_) {
            threads_.emplace_back([this, loop = loop.get()] { loop->run(make_handler_); });
        }
    }

    std::uint16_t port() const override { return port_; }
    std::size_t loop_count() const override { return loops_.size(); }
    Loop& loop(std::size_t index) override { return *loops_.at(index); }
    Counters counters() const override {
        Counters sum;
        for (const auto& loop : loops_) loop->counters().add_to(sum);
        sum.input_bytes = input_memory_.held();
        sum.inputs_refused = input_memory_.refusals();
        return sum;
    }

    void drain(std::chrono::milliseconds deadline) override {
        if (threads_.empty()) return;
        for (const auto& loop : loops_) loop->request_drain();
        if (wait_until_drained(deadline)) return;
        for (const auto& loop : loops_) loop->request_close();
        wait_until_drained(kCloseTime);
    }

    void stop() override {
        for (const auto& loop : loops_) loop->request_stop();
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }

  private:
    static constexpr std::chrono::milliseconds kCloseTime{1000};

    bool wait_until_drained(std::chrono::milliseconds deadline) const {
        const auto until = std::chrono::steady_clock::now() + deadline;
        const auto is_drained = [](const auto& loop) { return loop->is_drained(); };
        while (!std::all_of(loops_.begin(), loops_.end(), is_drained)) {
            if (std::chrono::steady_clock::now() >= until) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        return true;
    }

    AddressLimits addresses_;
    InputMemory input_memory_;
    const std::uint16_t port_;
    HandlerFactory make_handler_;
    std::vector<std::unique_ptr<EventLoop>> loops_;
    std::vector<std::thread> threads_;
};

}  // namespace

base::Result<std::unique_ptr<Server>> Server::start(const Options& options,
                                                    HandlerFactory make_handler) {
    const std::size_t loops = options.loops > 0 ? options.loops : available_cores();
    const Limits limits = effective(options.limits);
    auto listeners = listen_on(options.address, options.port, loops);
    if (!listeners) return listeners.error();

    auto server = std::make_unique<AsioServer>(limits, listeners->port);
    for (std::size_t i = 0; i < loops; ++i) {
        if (auto added = server->add_loop(limits, listeners->sockets[i]); !added) {
            for (std::size_t j = i + 1; j < loops; ++j) ::close(listeners->sockets[j]);
            return added.error();
        }
    }
    server->run(std::move(make_handler));
    return std::unique_ptr<Server>(std::move(server));
}

}  // namespace standings::net
