#include "net/byte_stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace standings::net {
namespace {

IoResult failure() {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoResult::Status::kWouldBlock, 0, true};
    return {IoResult::Status::kFailed, 0, false};
}

}  // namespace

SocketStream::~SocketStream() {
    ::close(socket_);
}

IoResult SocketStream::read(std::span<char> out) {
    ssize_t count = 0;
    do {
        count = ::recv(socket_, out.data(), out.size(), 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return failure();
    if (count == 0) return {IoResult::Status::kEnd, 0, true};
    const auto bytes = static_cast<std::size_t>(count);
    return {IoResult::Status::kOk, bytes, bytes < out.size()};
}

IoResult SocketStream::write(std::string_view bytes) {
    ssize_t count = 0;
    do {
        count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return failure();
    return {IoResult::Status::kOk, static_cast<std::size_t>(count), false};
}

void SocketStream::shutdown_write() {
    ::shutdown(socket_, SHUT_WR);
}

void SocketStream::discard_unsent() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace standings::net
