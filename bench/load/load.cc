// Puts a server under load over keep-alive connections, checks every answer, and says how fast they
// came. One thread, epoll: the generator must not be what is measured. It speaks HTTP to a
// Standings server, and the protocol of Redis to one that holds the same players.
//
//   standings_load --port 8420 --connections 64 --seconds 10 --board b --players 1000000
//       --key st_sk_... --idempotency
//
// With --log each submission leaves one line, "player score key seq", for an oracle to compare with
// what the server kept; seq is "-" where no answer came. No submission is ever sent twice.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings.h"
#include "traffic.h"

namespace {

using load::Answer;
using load::Clock;
using load::fail;
using load::Pending;
using load::Settings;
using load::Traffic;

struct Acknowledged {
    Pending request;
    std::string seq;  // "-": no answer came
};

// What was counted; latencies in nanoseconds.
struct Tally {
    std::vector<std::uint32_t> latencies;
    std::vector<Acknowledged> log;
    std::uint64_t lost_connections = 0;

    void count(const Pending& request) {
        const auto took = std::chrono::nanoseconds(Clock::now() - request.sent).count();
        latencies.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(took, UINT32_MAX)));
    }
};

class Connection {
  public:
    Connection(const Settings& settings, Traffic& traffic, Tally& tally)
        : settings_(settings), traffic_(traffic), tally_(tally) {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(settings.port);
        if (::inet_pton(AF_INET, settings.host.c_str(), &address.sin_addr) != 1)
            fail("no IPv4 address: " + settings.host);
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            fail("connect: " + std::string(std::strerror(errno)));
        }
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { close(); }

    int socket() const { return socket_; }
    bool is_open() const { return socket_ >= 0; }
    bool is_idle() const { return pending_.empty(); }

    // Sends as many requests as --pipeline says, in one piece.
    void send_requests() {
        std::string bytes;
        for (std::size_t i = 0; i < settings_.pipeline; ++i)
            pending_.push_back(traffic_.append_request(bytes));
        // A blocking socket and little in flight: this waits only for a server that does not read.
        for (std::string_view rest = bytes; !rest.empty();) {
            const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (sent <= 0) return lose();
            rest.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    // Takes what has come. The connection may be closed afterwards.
    void receive() {
        char piece[65536];
        const ssize_t count = ::recv(socket_, piece, sizeof piece, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) return lose();
        buffer_.append(piece, static_cast<std::size_t>(count));
        std::size_t used = 0;
        while (is_open()) {
            const auto answer = traffic_.parse_answer(std::string_view(buffer_).substr(used));
            if (!answer) break;
            take(*answer);
            used += answer->bytes;
        }
        buffer_.erase(0, used);
    }

    // Ends the connection; what is unanswered goes into the log as such.
    void close() {
        if (!is_open()) return;
        ::close(socket_);
        socket_ = -1;
        if (!settings_.log.empty()) {
            for (const Pending& request : pending_) tally_.log.push_back({request, "-"});
        }
        pending_.clear();
    }

  private:
    void take(const Answer& answer) {
        if (pending_.empty()) fail("an answer that nobody asked for: " + std::string(answer.head));
        const Pending request = pending_.front();
        if (const auto complaint = traffic_.complaint(answer, request)) {
            // A server that ends may refuse politely; such a submission was not acknowledged.
            if (settings_.until_lost && answer.status == 503) return lose();
            fail(*complaint);
        }
        pending_.pop_front();
        tally_.count(request);
        if (!settings_.log.empty()) tally_.log.push_back({request, seq_of(answer.body)});
    }

    static std::string seq_of(std::string_view body) {
        static constexpr std::string_view kSeq = "\"seq\":";
        const std::size_t at = body.find(kSeq);
        if (at == std::string_view::npos) fail("a receipt without a seq: " + std::string(body));
        const std::string_view rest = body.substr(at + kSeq.size());
        return std::string(rest.substr(0, rest.find_first_not_of("0123456789")));
    }

    void lose() {
        ++tally_.lost_connections;
        close();
    }

    const Settings& settings_;
    Traffic& traffic_;
    Tally& tally_;
    int socket_ = -1;
    std::deque<Pending> pending_;
    std::string buffer_;
};

// CPU time of all the process's threads so far; threads that have ended are not in it.
std::uint64_t cpu_nanoseconds(int pid) {
    std::uint64_t sum = 0;
    std::error_code error;
    const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
        std::ifstream schedstat(task.path() / "schedstat");
        std::uint64_t running = 0;
        if (schedstat >> running) sum += running;
    }
    return sum;
}

constexpr int kPatienceSeconds = 10;

// Runs until the time is over and all is answered, or no connection is left. The seconds it took.
double run(const Settings& settings, Traffic& traffic, Tally& tally) {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    std::deque<Connection> connections;
    for (std::size_t i = 0; i < settings.connections; ++i) {
        Connection& connection = connections.emplace_back(settings, traffic, tally);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &connection;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, connection.socket(), &event);
    }

    const auto began = Clock::now();
    const auto end = began + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(settings.seconds));
    for (Connection& connection : connections) connection.send_requests();

    const auto busy = [](const Connection& connection) {
        return connection.is_open() && !connection.is_idle();
    };
    std::vector<epoll_event> events(256);
    // Seconds in which this process waited and nothing came. One that is stopped meanwhile is
    // interrupted, and counts nothing: by the clock its patience would be over as it goes on.
    int quiet_seconds = 0;
    while (std::any_of(connections.begin(), connections.end(), busy)) {
        const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 1000);
        if (count >= 0) quiet_seconds = count > 0 ? 0 : quiet_seconds + 1;
        for (int i = 0; i < count; ++i) {
            Connection& connection =
                *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (!connection.is_open()) continue;
            connection.receive();
            if (connection.is_open() && connection.is_idle() && Clock::now() < end)
                connection.send_requests();
        }
        if (quiet_seconds >= kPatienceSeconds && Clock::now() > end) {
            fail("no answer came for ten seconds, and the time is over");
        }
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
    ::close(epoll);
    return seconds;
}

void write_log(const Settings& settings, const Traffic& traffic, const Tally& tally) {
    std::ofstream file(settings.log);
    for (const auto& [request, seq] : tally.log) {
        file << traffic.player_name(request.player) << ' ' << request.score << ' '
             << (settings.idempotency ? traffic.idempotency_key(request) : "-") << ' ' << seq
             << '\n';
    }
    if (!file.flush()) fail("cannot write " + settings.log);
}

double milliseconds_at(std::vector<std::uint32_t>& latencies, double share) {
    if (latencies.empty()) return 0;
    const auto at = latencies.begin() +
                    static_cast<std::ptrdiff_t>(share * static_cast<double>(latencies.size() - 1));
    std::nth_element(latencies.begin(), at, latencies.end());
    return *at / 1e6;
}

void report(const Settings& settings, Tally& tally, double seconds, std::uint64_t server_cpu) {
    const auto requests = static_cast<double>(tally.latencies.size());
    if (settings.json) {
        std::printf(
            "{\"requests\":%.0f,\"seconds\":%.3f,\"per_second\":%.0f,\"p50_ms\":%.4f,"
            "\"p99_ms\":%.4f,\"max_ms\":%.4f,\"cpu_us\":%.4f}\n",
            requests, seconds, requests / seconds, milliseconds_at(tally.latencies, 0.5),
            milliseconds_at(tally.latencies, 0.99), milliseconds_at(tally.latencies, 1),
            requests > 0 ? static_cast<double>(server_cpu) / requests / 1e3 : 0);
        return;
    }
    std::printf(
        "%s: %.0f requests in %.2f s over %zu connections, pipeline %zu: %.0f/s  p50 %.3f ms  p99 "
        "%.3f ms  max %.3f ms",
        settings.mode.c_str(), requests, seconds, settings.connections, settings.pipeline,
        requests / seconds, milliseconds_at(tally.latencies, 0.5),
        milliseconds_at(tally.latencies, 0.99), milliseconds_at(tally.latencies, 1));
    if (settings.server_pid && requests > 0) {
        std::printf("  server CPU %.2f us/request",
                    static_cast<double>(server_cpu) / requests / 1e3);
    }
    if (tally.lost_connections)
        std::printf("  lost connections %llu",
                    static_cast<unsigned long long>(tally.lost_connections));
    std::printf("\n");
}

Settings settings_from(int argc, char** argv) {
    Settings settings;
    CLI::App app("Puts a Standings server under load and checks every answer.");
    app.add_option("--host", settings.host, "IPv4 address")->capture_default_str();
    app.add_option("--port", settings.port)->capture_default_str();
    app.add_option("--protocol", settings.protocol)
        ->capture_default_str()
        ->check(CLI::IsMember({"http", "redis"}));
    app.add_option("--connections", settings.connections)
        ->capture_default_str()
        ->check(CLI::Range(1, 60000));
    app.add_option("--seconds", settings.seconds)->capture_default_str();
    app.add_option("--pipeline", settings.pipeline, "requests sent at once on each connection")
        ->capture_default_str()
        ->check(CLI::Range(1, 64));
    app.add_option("--mode", settings.mode)
        ->capture_default_str()
        ->check(CLI::IsMember({"submit", "standing", "top", "around", "version"}));
    app.add_option("--board", settings.board)->capture_default_str();
    app.add_option("--players", settings.players, "how many there are to choose from")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--prefix", settings.prefix, "of each player's id, before seven digits")
        ->capture_default_str();
    app.add_flag("--known", settings.known,
                 "the board was made by bench/players.py: check every rank, score and row");
    app.add_option("--key", settings.key, "credential");
    app.add_option("--script", settings.script, "SHA-1 of the script for a Redis server");
    app.add_flag("--idempotency", settings.idempotency,
                 "send an Idempotency-Key with each submission");
    app.add_option("--run", settings.run, "first part of each idempotency key");
    app.add_option("--score", settings.score, "the same for all; random otherwise");
    app.add_option("--log", settings.log, "file for one line per submission");
    app.add_option("--server-pid", settings.server_pid,
                   "print this process's CPU time per request");
    app.add_option("--seed", settings.seed)->capture_default_str();
    app.add_flag("--until-lost", settings.until_lost,
                 "the server will be killed: end with the last connection");
    app.add_flag("--json", settings.json, "print one JSON object");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error));
    }
    if (settings.known && settings.players > load::KnownBoard::kMost)
        fail("--known goes up to " + std::to_string(load::KnownBoard::kMost) + " players");
    return settings;
}

}  // namespace

int main(int argc, char** argv) {
    const Settings settings = settings_from(argc, argv);
    const std::unique_ptr<Traffic> traffic = settings.protocol == "redis"
                                                 ? load::make_redis_traffic(settings)
                                                 : load::make_http_traffic(settings);
    Tally tally;
    const std::uint64_t cpu_before =
        settings.server_pid ? cpu_nanoseconds(*settings.server_pid) : 0;
    const double seconds = run(settings, *traffic, tally);
    const std::uint64_t cpu_after = settings.server_pid ? cpu_nanoseconds(*settings.server_pid) : 0;
    if (!settings.log.empty()) write_log(settings, *traffic, tally);
    report(settings, tally, seconds, cpu_after - std::min(cpu_before, cpu_after));
    if (tally.lost_connections && !settings.until_lost) fail("connections were lost");
    return 0;
}
