// A server whose every answer is the same 100 bytes of JSON: what the transport itself costs.
//
//   taskset -c 0 build/release/src/net/net_bench 8421 &
//   taskset -c 1 wrk -t1 -c64 -d5s http://127.0.0.1:8421/v1/x    (the Debian package wrk)
//   cat /proc/PID/task/*/schedstat    (first number: nanoseconds on the CPU)
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "net/server.h"

namespace {

namespace net = standings::net;

constexpr std::string_view kBody =
    R"({"player":"u_812","name":"Lena","rank":8,"position":8,"score":83456,"total":15873,"seq":90412,"a":1})";

class FixedAnswer final : public net::Handler {
  public:
    net::BodyPlan plan_body(const net::Request&) override { return {}; }
    void handle(const net::Request&, net::Exchange exchange) override {
        exchange.send({.status = 200, .content_type = "application/json", .body = kBody});
    }
    std::unique_ptr<net::BodySink> handle_stream(const net::Request&, net::Exchange) override {
        return nullptr;
    }
    void describe(const net::TransportProblem& problem, std::string&, std::string& body) override {
        body = problem.detail;
    }
};

}  // namespace

int main(int argc, char** argv) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
    auto server = net::Server::start({.port = port},
                                     [](net::Loop&) { return std::make_unique<FixedAnswer>(); });
    if (!server) {
        std::fprintf(stderr, "%s\n", server.error().detail.c_str());
        return 1;
    }
    std::printf("port %u, %zu loops\n", (*server)->port(), (*server)->loop_count());
    std::fflush(stdout);

    int signal = 0;
    sigwait(&signals, &signal);
    (*server)->drain(std::chrono::seconds(2));
    (*server)->stop();
    const auto counters = (*server)->counters();
    std::printf("requests %llu, in %llu, out %llu, open %llu\n",
                static_cast<unsigned long long>(counters.requests),
                static_cast<unsigned long long>(counters.bytes_in),
                static_cast<unsigned long long>(counters.bytes_out),
                static_cast<unsigned long long>(counters.connections_open));
}
