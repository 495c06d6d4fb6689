// What a connection reads from and writes to. TLS becomes a second implementation of it, not a
// second path through the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace standings::net {

struct IoResult {
    enum class Status : std::uint8_t { kOk, kWouldBlock, kEnd, kFailed };
    Status status = Status::kOk;
    std::size_t bytes = 0;
    // A read that took all there was: the next one can wait for the poller.
    bool drained = false;
};

// Never blocks and never raises SIGPIPE. Owned by one connection, used on its loop's thread.
class ByteStream {
  public:
    virtual ~ByteStream() = default;
    virtual IoResult read(std::span<char> out) = 0;
    virtual IoResult write(std::string_view bytes) = 0;
    // No more will be written; the peer sees the end once it has read everything.
    virtual void shutdown_write() = 0;
    // From here on write() takes no more than about `bytes` beyond what the peer lets us send: more
    // would grow old in the kernel, and hold its memory.
    virtual void bound_unsent(std::size_t bytes) = 0;
    // close() will throw away what is still unsent, so that it costs the kernel nothing.
    virtual void discard_unsent() = 0;
};

// A connected, non-blocking TCP socket, which it owns.
class SocketStream final : public ByteStream {
  public:
    explicit SocketStream(int socket) : socket_(socket) {}
    ~SocketStream() override;
    SocketStream(const SocketStream&) = delete;
    SocketStream& operator=(const SocketStream&) = delete;

    IoResult read(std::span<char> out) override;
    IoResult write(std::string_view bytes) override;
    void shutdown_write() override;
    void bound_unsent(std::size_t bytes) override;
    void discard_unsent() override;

  private:
    const int socket_;
};

}  // namespace standings::net
