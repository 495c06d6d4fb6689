// What a client sends over a WebSocket, or to become one, against a server in this process: whole
// and cut in two the same has to be heard, and the connection has to end.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
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

std::vector<std::string> hear(std::string_view bytes, std::size_t cut) {
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
    client.shutdown_write();
    CHECK(client.is_gone());
    return record.take();
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
    const std::vector<std::string> whole = hear(bytes, bytes.size());
    const std::vector<std::string> in_two = hear(bytes, cut);
    // A connection that ends without a close may take along what came just before.
    const bool longer = whole.size() > in_two.size();
    const auto& all = longer ? whole : in_two;
    const auto& some = longer ? in_two : whole;
    CHECK(std::equal(some.begin(), some.end(), all.begin()));
    return 0;
}
