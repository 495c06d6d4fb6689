// What the kernel takes to send some bytes to each of many sockets on this machine, ten times a
// second, with nothing around it: less no server can take that sends to them one by one.
//
//   standings_bare_send --sockets 10000 --bytes 950 --send-on 0 --receive-on 1
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "poll.h"
#include "settings.h"

namespace {

using load::fail;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPeriod = 100ms;
constexpr auto kWarmUp = 1s;
constexpr rlim_t kOtherFiles = 64;

struct Settings {
    std::size_t sockets = 10'000;
    std::size_t bytes = 1000;
    double seconds = 10;
    int send_on = -1;  // core; -1: any
    int receive_on = -1;
};

void use_core(int core) {
    if (core < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(core), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) fail("no core " + std::to_string(core));
}

// Reads what comes.
class Drain final : public load::Source {
  public:
    Drain(const sockaddr_in& server, load::Poll& poll)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
            fail("connect: " + std::string(std::strerror(errno)));
        }
        poll.add(socket_, EPOLLIN, *this);
    }

    void on_ready(std::uint32_t) override {
        static char room[65536];
        if (::recv(socket_, room, sizeof room, MSG_DONTWAIT) == 0) std::_Exit(0);
    }

  private:
    const int socket_;
};

// Ends with the sender.
[[noreturn]] void receive(const Settings& settings, const sockaddr_in& server) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    use_core(settings.receive_on);
    load::Poll poll;
    std::deque<Drain> sockets;
    for (std::size_t i = 0; i < settings.sockets; ++i) sockets.emplace_back(server, poll);
    while (true) poll.run(1s);
}

// Microseconds of processor time for each.
double send(const Settings& settings, int listener) {
    use_core(settings.send_on);
    std::vector<int> sockets;
    for (std::size_t i = 0; i < settings.sockets; ++i) {
        sockets.push_back(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
        const int on = 1;
        ::setsockopt(sockets.back(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    const std::string message(settings.bytes, 'x');
    const auto measured = Clock::now() + kWarmUp;
    const auto end = measured + std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(settings.seconds));
    std::clock_t cpu = 0;
    std::uint64_t count = 0;
    for (auto due = Clock::now(); due < end; due = std::max(due + kPeriod, Clock::now())) {
        std::this_thread::sleep_until(due);
        const std::clock_t before = std::clock();
        for (const int socket : sockets) {
            const ssize_t sent =
                ::send(socket, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent != static_cast<ssize_t>(message.size())) fail("a socket took no more");
        }
        if (due < measured) continue;
        cpu += std::clock() - before;
        count += sockets.size();
    }
    return count > 0 ? 1e6 * static_cast<double>(cpu) / CLOCKS_PER_SEC / static_cast<double>(count)
                     : 0;
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    CLI::App app("What a bare send() to each of many sockets takes.");
    app.add_option("--sockets", settings.sockets)
        ->capture_default_str()
        ->check(CLI::Range(1, 20000));
    app.add_option("--bytes", settings.bytes)->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--seconds", settings.seconds)->capture_default_str();
    app.add_option("--send-on", settings.send_on, "core");
    app.add_option("--receive-on", settings.receive_on, "core");
    CLI11_PARSE(app, argc, argv);

    const rlimit files{settings.sockets + kOtherFiles, settings.sockets + kOtherFiles};
    if (::setrlimit(RLIMIT_NOFILE, &files) != 0) fail("too few descriptors (ulimit -n)");
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener, SOMAXCONN) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        fail("listen: " + std::string(std::strerror(errno)));
    }
    const pid_t receiver = ::fork();
    if (receiver < 0) fail("fork: " + std::string(std::strerror(errno)));
    if (receiver == 0) receive(settings, address);
    std::printf("{\"cpu_us\":%.4f}\n", send(settings, listener));
    ::kill(receiver, SIGKILL);
    return 0;
}
