#include "clients.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace load {
namespace {

std::string seq_of(std::string_view body) {
    static constexpr std::string_view kSeq = "\"seq\":";
    const std::size_t at = body.find(kSeq);
    if (at == std::string_view::npos) fail("a receipt without a seq: " + std::string(body));
    const std::string_view rest = body.substr(at + kSeq.size());
    return std::string(rest.substr(0, rest.find_first_not_of("0123456789")));
}

}  // namespace

// --- what is counted ------------------------------------------------------------------------

void Tally::count(const Pending& request) {
    const auto took = std::chrono::nanoseconds(Clock::now() - request.due).count();
    latencies.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(took, UINT32_MAX)));
}

double Tally::milliseconds_at(double share) {
    if (latencies.empty()) return 0;
    const auto at = latencies.begin() +
                    static_cast<std::ptrdiff_t>(share * static_cast<double>(latencies.size() - 1));
    std::nth_element(latencies.begin(), at, latencies.end());
    return *at / 1e6;
}

// --- one connection -------------------------------------------------------------------------

Connection::Connection(const Settings& settings, Traffic& traffic, Tally& tally, Clients& clients)
    : settings_(settings), traffic_(traffic), tally_(tally), clients_(clients) {
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

void Connection::send_requests(std::optional<Clock::time_point> due) {
    std::string bytes;
    for (std::size_t i = 0; i < settings_.pipeline; ++i) {
        pending_.push_back(traffic_.append_request(bytes));
        if (due) pending_.back().due = *due;
    }
    // A blocking socket and little in flight: this waits only for a server that does not read.
    for (std::string_view rest = bytes; !rest.empty();) {
        const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent <= 0) return lose();
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void Connection::on_ready(std::uint32_t) {
    if (!is_open()) return;
    receive();
    if (is_open() && is_idle()) clients_.answered(*this);
}

void Connection::receive() {
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

void Connection::take(const Answer& answer) {
    if (pending_.empty()) fail("an answer that nobody asked for: " + std::string(answer.head));
    const Pending request = pending_.front();
    if (const auto complaint = traffic_.complaint(answer, request)) {
        // A server that ends may refuse politely; such a submission was not acknowledged.
        if (settings_.until_lost && answer.status == 503) return lose();
        fail(*complaint);
    }
    pending_.pop_front();
    tally_.count(request);
    if (tally_.keeps_log) tally_.log.push_back({request, seq_of(answer.body)});
}

void Connection::close() {
    if (!is_open()) return;
    ::close(socket_);
    socket_ = -1;
    if (tally_.keeps_log) {
        for (const Pending& request : pending_) tally_.log.push_back({request, "-"});
    }
    pending_.clear();
}

void Connection::lose() {
    ++tally_.lost_connections;
    close();
}

// --- all of them ----------------------------------------------------------------------------

Clients::Clients(const Settings& settings, Traffic& traffic, Tally& tally, Poll& poll)
    : settings_(settings) {
    for (std::size_t i = 0; i < settings.connections; ++i) {
        Connection& connection = connections_.emplace_back(settings, traffic, tally, *this);
        poll.add(connection.socket(), EPOLLIN, connection);
    }
}

void Clients::begin(Clock::time_point now) {
    next_due_ = now;
    for (Connection& connection : connections_) {
        if (settings_.rate) {
            idle_.push_back(&connection);
        } else {
            connection.send_requests();
        }
    }
}

void Clients::send_due(Clock::time_point now) {
    if (!settings_.rate || is_stopped_) return;
    const auto period = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(1 / *settings_.rate));
    while (next_due_ <= now && !idle_.empty()) {
        Connection* const connection = idle_.front();
        idle_.pop_front();
        if (!connection->is_open()) continue;
        connection->send_requests(next_due_);
        next_due_ += period;
    }
}

Clock::time_point Clients::next_due() const {
    if (!settings_.rate || is_stopped_ || idle_.empty()) return Clock::time_point::max();
    return next_due_;
}

void Clients::answered(Connection& connection) {
    if (settings_.rate) {
        idle_.push_back(&connection);
    } else if (!is_stopped_) {
        connection.send_requests();
    }
}

bool Clients::are_busy() const {
    return std::ranges::any_of(connections_, [](const Connection& connection) {
        return connection.is_open() && !connection.is_idle();
    });
}

bool Clients::are_open() const {
    return std::ranges::any_of(connections_, &Connection::is_open);
}

}  // namespace load
