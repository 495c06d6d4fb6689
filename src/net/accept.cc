// The accepting side of an event loop.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/event_loop.h"

namespace standings::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
// Clients that are told to come later, at the same time; more of them are just closed.
constexpr std::size_t kMaxRefusedOpen = 64;
constexpr std::chrono::milliseconds kAcceptRetry{100};

constexpr std::string_view kNoFilesAnswer =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    "Content-Length: 0\r\n\r\n";

bool is_loopback(const in6_addr& address) {
    if (IN6_IS_ADDR_V4MAPPED(&address)) return address.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&address);
}

// Loopback counts nowhere; an IPv6 customer has a whole /64 and counts as one.
Connection::Peer describe_peer(const sockaddr_storage& storage) {
    char text[INET6_ADDRSTRLEN] = {};
    Connection::Peer peer;
    if (storage.ss_family == AF_INET) {
        sockaddr_in address;
        std::memcpy(&address, &storage, sizeof address);
        ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
        peer.text = text;
        if (ntohl(address.sin_addr.s_addr) >> 24 != 127) peer.account_key = text;
    } else if (storage.ss_family == AF_INET6) {
        sockaddr_in6 address;
        std::memcpy(&address, &storage, sizeof address);
        auto& bytes = address.sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&bytes)) {
            ::inet_ntop(AF_INET, &bytes.s6_addr[12], text, sizeof text);
            if (!is_loopback(bytes)) peer.account_key = text;
        } else {
            ::inet_ntop(AF_INET6, &bytes, text, sizeof text);
            if (!is_loopback(bytes)) {
                peer.account_key.assign(reinterpret_cast<const char*>(bytes.s6_addr), 8);
            }
        }
        peer.text = text;
    }
    return peer;
}

}  // namespace

int EventLoop::open_spare_file() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void EventLoop::close_listener() {
    if (listener_ >= 0) ::close(listener_);
    listener_ = -1;
}

void EventLoop::on_events(std::uint32_t) {
    accept_some();
}

void EventLoop::accept_some() {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
        if (!accept_one()) return;
    }
    accept_soon();
}

void EventLoop::accept_soon() {
    boost::asio::post(context_, [this] {
        enter();
        accept_some();
        leave();
    });
}

// False when nobody waits, or nobody can be let in for now.
bool EventLoop::accept_one() {
    if (listener_ < 0) return false;
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const int socket = ::accept4(listener_, reinterpret_cast<sockaddr*>(&address), &length,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
        switch (errno) {
            case EAGAIN:
                return false;
            case EMFILE:
            case ENFILE:
            case ENOBUFS:
            case ENOMEM:
                if (shed_without_file()) return true;
                after(kAcceptRetry, [this] { accept_some(); });
                return false;
            default:
                return true;  // that client is gone already
        }
    }

    auto peer = describe_peer(address);
    switch (shared_.addresses.admit(peer.account_key)) {
        case AddressLimits::Verdict::kWelcome:
            admit(socket, std::move(peer));
            break;
        case AddressLimits::Verdict::kFull:
            refuse(socket, std::move(peer),
                   {503, "The server has as many connections as it takes."});
            break;
        case AddressLimits::Verdict::kTooManyOfAddress:
            refuse(socket, std::move(peer), {429, "This address has too many connections open."});
            break;
    }
    return true;
}

void EventLoop::admit(int socket, Connection::Peer peer) {
    LoopCounters::add(counters_.accepted);
    LoopCounters::add(counters_.open);
    auto* const connection =
        new Connection(*this, std::make_unique<SocketStream>(socket), std::move(peer));
    add(*connection);
    if (!poller_->add(socket, *connection)) return connection->close_now();
    connection->flush_and_settle();  // begins its idle time
}

void EventLoop::refuse(int socket, Connection::Peer peer, const TransportProblem& problem) {
    LoopCounters::add(counters_.refused);
    auto stream = std::make_unique<SocketStream>(socket);
    if (refused_open_ >= kMaxRefusedOpen) return;
    auto* const connection = new Connection(*this, std::move(stream), std::move(peer));
    connection->is_refused = true;
    ++refused_open_;
    add(*connection);
    if (!poller_->add(socket, *connection)) return connection->close_now();
    connection->refuse_at_once(problem);
}

// Out of files: the spare one is given up for as long as it takes to say so. Without this the
// client would wait in the queue, and we would be woken for it for ever.
bool EventLoop::shed_without_file() {
    if (spare_file_ < 0) spare_file_ = open_spare_file();
    if (spare_file_ < 0) return false;
    ::close(spare_file_);
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
        LoopCounters::add(counters_.refused);
        const auto sent =
            ::send(socket, kNoFilesAnswer.data(), kNoFilesAnswer.size(), MSG_NOSIGNAL);
        static_cast<void>(sent);  // as far as it goes
        ::shutdown(socket, SHUT_WR);
        ::close(socket);
    }
    spare_file_ = open_spare_file();
    return socket >= 0;
}

}  // namespace standings::net
