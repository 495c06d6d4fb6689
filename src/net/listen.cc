#include "net/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

namespace standings::net {
namespace {

constexpr int kBacklog = 4096;

struct Endpoint {
    sockaddr_storage storage{};
    socklen_t length = 0;

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    void set_port(std::uint16_t port) {
        // Both families have their port at the same place.
        static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
        const std::uint16_t network = htons(port);
        std::memcpy(reinterpret_cast<char*>(&storage) + offsetof(sockaddr_in, sin_port), &network,
                    sizeof network);
    }
    std::uint16_t port() const {
        std::uint16_t network = 0;
        std::memcpy(&network,
                    reinterpret_cast<const char*>(&storage) + offsetof(sockaddr_in, sin_port),
                    sizeof network);
        return ntohs(network);
    }
};

std::optional<Endpoint> parse_endpoint(const std::string& address, std::uint16_t port) {
    Endpoint endpoint;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        std::memcpy(&endpoint.storage, &v4, sizeof v4);
        endpoint.length = sizeof v4;
    } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        std::memcpy(&endpoint.storage, &v6, sizeof v6);
        endpoint.length = sizeof v6;
    } else {
        return std::nullopt;
    }
    endpoint.set_port(port);
    return endpoint;
}

base::Error failure(const char* call, const std::string& address, std::uint16_t port) {
    const int error = errno;
    const std::string place = "listen on " + address + " port " + std::to_string(port) + ": ";
    if (error == EADDRNOTAVAIL) {
        return {base::ErrorCode::kIo,
                place +
                    "this machine has no such address; 127.0.0.1 is for itself only, 0.0.0.0 "
                    "for all that it has"};
    }
    if (error == EACCES) {
        return {base::ErrorCode::kIo,
                place + "this user may not open it; a port from 1024 on needs no privilege"};
    }
    return {error == EADDRINUSE ? base::ErrorCode::kBusy : base::ErrorCode::kIo,
            place + call + ": " + std::generic_category().message(error)};
}

void turn_on(int socket, int level, int option) {
    const int on = 1;
    ::setsockopt(socket, level, option, &on, sizeof on);
}

// A bound socket, -1 with errno when that fails.
int bind_one(Endpoint& endpoint, bool shared) {
    const int socket =
        ::socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return -1;
    turn_on(socket, SOL_SOCKET, SO_REUSEADDR);
    if (shared) turn_on(socket, SOL_SOCKET, SO_REUSEPORT);
    turn_on(socket, IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit it
    if (::bind(socket, endpoint.get(), endpoint.length) != 0) {
        const int error = errno;
        ::close(socket);
        errno = error;
        return -1;
    }
    endpoint.length = sizeof endpoint.storage;
    ::getsockname(socket, endpoint.get(), &endpoint.length);
    return socket;
}

}  // namespace

base::Result<Listeners> listen_on(const std::string& address, std::uint16_t port,
                                  std::size_t count) {
    auto endpoint = parse_endpoint(address, port);
    if (!endpoint) {
        return base::Error{base::ErrorCode::kSettings,
                           "\"" + address + "\" is not an IPv4 or IPv6 address to listen on"};
    }

    // SO_REUSEPORT lets a second server of the same user share the port in silence. A bind without
    // it fails while anybody listens there, so that is asked first.
    if (count > 1 && port != 0) {
        const int probe = bind_one(*endpoint, false);
        if (probe < 0) return failure("bind", address, port);
        ::close(probe);
    }

    Listeners listeners;
    const auto give_up = [&](const char* call) {
        const auto error = failure(call, address, port);
        for (const int socket : listeners.sockets) ::close(socket);
        return error;
    };
    for (std::size_t i = 0; i < count; ++i) {
        const int socket = bind_one(*endpoint, count > 1);
        if (socket < 0) return give_up("bind");
        listeners.sockets.push_back(socket);
        if (::listen(socket, kBacklog) != 0) return give_up("listen");
    }
    listeners.port = endpoint->port();
    return listeners;
}

}  // namespace standings::net
