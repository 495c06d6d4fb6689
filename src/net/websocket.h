// RFC 6455 on an upgraded connection: text messages both ways.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"
#include "net/server.h"

namespace standings::net {

// One client's socket. Thread: the loop's. Lives as long as somebody holds it; when the client is
// gone all calls do nothing.
class WebSocket {
  public:
    virtual ~WebSocket() = default;

    // A frame that text_frame() made. Frames leave in order, whole, also beside pongs.
    virtual void send(std::string_view frame) = 0;
    // Says why (`code` of RFC 6455, 7.4, or from 4000 on), sends what is unsent, and ends. Nothing
    // is heard afterwards.
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    virtual bool open() const = 0;
    // As those of Exchange.
    virtual std::size_t unsent_bytes() const = 0;
    virtual void when_unsent_at_most(std::size_t bytes, std::function<void()> task) = 0;
};

// Hears what one client sends. Thread: the loop's.
class WebSocketReceiver {
  public:
    virtual ~WebSocketReceiver() = default;
    virtual void on_message(std::string_view text) = 0;
    // The client is gone, or was closed for breaking the rules. Called once, unless we closed.
    virtual void on_gone() = 0;
};

struct WebSocketOptions {
    std::string_view protocol;  // Sec-WebSocket-Protocol of the answer; empty: none
    std::string headers;        // further lines of the answer, each with its \r\n
    std::size_t max_message_bytes = 64 * 1024;
    // Of a message; one with more closes the socket, and what came just before may go unheard.
    std::size_t max_fragments = 64;
    std::size_t max_kernel_unsent = 64 * 1024;  // Exchange::bound_unsent
    // Silence after which the client is asked for a sign of life, and as much again after which it
    // is taken for gone.
    std::chrono::milliseconds ping_after{30'000};
};

// Answers 101 and takes the exchange. A failure leaves it: the request is no upgrade, and should
// hear 426 with "Sec-WebSocket-Version: 13" and "Upgrade: websocket". To be called while the
// request's handler runs.
base::Result<std::shared_ptr<WebSocket>> accept_websocket(
    const Request& request, Exchange& exchange, Loop& loop, const WebSocketOptions& options,
    std::shared_ptr<WebSocketReceiver> receiver);

// One unmasked text frame, as a server sends it.
std::string text_frame(std::string_view text);

}  // namespace standings::net
