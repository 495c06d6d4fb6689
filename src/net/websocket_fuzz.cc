// What a client sends over a WebSocket, or to become one, against a server in this process: whole
// and cut in two the same has to be heard, and the connection has to end.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "net/test_client.h"
#include "net/websocket.h"

using namespace standings;

namespace {

constexpr std::string_view kRequestLine = "GET /ws HTTP/1.1\r\nHost: a\r\n";
constexpr std::string_view kUpgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

constexpr unsigned kTooManyFragments = 1008;

// What the present client said. Threads: the loop's adds, the fuzzer's takes.
class Record {
  public:
    void add(std::string_view message) {
        const std::lock_guard hold(mutex_);
        messages_.emplace_back(message);
    }
    std::vector<std::string> take() {
        const std::lock_guard hold(mutex_);
        return std::exchange(messages_, {});
    }

  private:
    std::mutex mutex_;
    std::vector<std::string> messages_;
};

class Recorder final : public net::WebSocketReceiver {
  public:
    explicit Recorder(Record& record) : record_(record) {}
    void start(std::shared_ptr<net::WebSocket> socket) { socket_ = std::move(socket); }
    void on_message(std::string_view text) override {
        record_.add(text);
        socket_->send(net::text_frame(text));
    }
    void on_gone() override { socket_.reset(); }

  private:
    Record& record_;
    std::shared_ptr<net::WebSocket> socket_;
};

class UpgradingHandler final : public net::Handler {
  public:
    UpgradingHandler(Record& record, net::Loop& loop) : record_(record), loop_(loop) {}

    net::BodyPlan plan_body(const net::Request&) override { return {}; }
    void handle(const net::Request& request, net::Exchange exchange) override {
        const auto recorder = std::make_shared<Recorder>(record_);
        const auto accepted =
            net::accept_websocket(request, exchange, loop_, {.max_message_bytes = 1024}, recorder);
        if (!accepted) return exchange.send({.status = 426, .body = accepted.error().detail});
        recorder->start(*accepted);
    }
    std::unique_ptr<net::BodySink> handle_stream(const net::Request&, net::Exchange) override {
        return nullptr;
    }
    void describe(const net::TransportProblem& problem, std::string&, std::string& body) override {
        body = problem.detail;
    }

  private:
    Record& record_;
    net::Loop& loop_;
};

// The code of the close frame that came last, 0 when it has none; nothing when the server said no
// such goodbye, or a reset took it along.
std::optional<unsigned> close_code(std::string_view received) {
    if (!received.starts_with("HTTP/1.1 101 ")) return std::nullopt;
    received.remove_prefix(std::min(received.size(), received.find("\r\n\r\n") + 4));
    const auto byte = [&](std::size_t at) -> unsigned {
        return static_cast<unsigned char>(received[at]);
    };
    const auto number = [&](std::size_t at) { return byte(at) << 8 | byte(at + 1); };
    while (received.size() >= 4) {
        if (received[0] == '\x88') return number(2);
        std::size_t size = byte(1);
        size = size == 126 ? 4 + number(2) : 2 + size;  // no answer here is longer
        received.remove_prefix(std::min(received.size(), size));
    }
    if (received.size() == 2 && received[0] == '\x88') return 0;
    return std::nullopt;
}

struct Heard {
    std::vector<std::string> messages;
    std::optional<unsigned> close_code;
};

Heard hear(std::string_view bytes, std::size_t cut) {
    static Record record;
    static const std::unique_ptr<net::Server> kServer = [] {
        auto started = net::Server::start(
            {.port = 0, .loops = 1, .limits = {}},
            [](net::Loop& loop) { return std::make_unique<UpgradingHandler>(record, loop); });
        CHECK(started);
        return std::move(*started);
    }();
    net::Client client(kServer->port());
    CHECK(client.connected());
    if (client.send(bytes.substr(0, cut))) client.send(bytes.substr(cut));
    // The server may end it first; at an end of ours it drops what it has not come to yet.
    while (client.has_input(std::chrono::milliseconds(1)) && client.receive()) {
    }
    client.shutdown_write();
    CHECK(client.is_gone());
    return {record.take(), close_code(client.received())};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // The first byte tells where to cut, and whether the upgrade is the fuzzer's, too.
    const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
    std::string bytes(kRequestLine);
    if (data[0] % 2 == 0) bytes += kUpgrade;
    const std::size_t cut = bytes.size() + data[0] * input.size() / 256;
    bytes += input;
    const Heard whole = hear(bytes, bytes.size());
    const Heard in_two = hear(bytes, cut);
    if (whole.close_code && in_two.close_code && whole.close_code != kTooManyFragments &&
        in_two.close_code != kTooManyFragments) {
        CHECK(whole.close_code == in_two.close_code);
        CHECK(whole.messages == in_two.messages);
        return 0;
    }
    // A connection that ends without a close, or in the middle of too many fragments, may take
    // along what came just before.
    const bool longer = whole.messages.size() > in_two.messages.size();
    const auto& all = (longer ? whole : in_two).messages;
    const auto& some = (longer ? in_two : whole).messages;
    CHECK(std::equal(some.begin(), some.end(), all.begin()));
    return 0;
}
