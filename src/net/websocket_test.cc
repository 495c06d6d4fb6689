#include "net/websocket.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/test_client.h"

namespace standings::net {
namespace {

using namespace std::chrono_literals;

const std::string kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

constexpr char kText = '\x81';
constexpr char kTextBegins = '\x01';
constexpr char kGoesOn = '\x00';
constexpr char kEnds = '\x80';
constexpr char kBinary = '\x82';
constexpr char kClose = '\x88';
constexpr char kPing = '\x89';

// A client's frame, masked.
std::string sent(char first, const std::string& payload) {
    std::string frame(1, first);
    if (payload.size() < 126) {
        frame += static_cast<char>(0x80 | payload.size());
    } else {
        frame += '\xFE';
        frame += static_cast<char>(payload.size() >> 8);
        frame += static_cast<char>(payload.size() & 0xFF);
    }
    const char mask[] = {1, 2, 3, 4};
    frame.append(mask, sizeof mask);
    for (std::size_t i = 0; i < payload.size(); ++i) {
        frame += static_cast<char>(payload[i] ^ mask[i % 4]);
    }
    return frame;
}

std::string close_frame(int code, const std::string& reason = {}) {
    std::string frame(1, kClose);
    frame += static_cast<char>(2 + reason.size());
    frame += static_cast<char>(code >> 8);
    frame += static_cast<char>(code & 0xFF);
    return frame + reason;
}

struct Seen {
    std::vector<std::string> messages;
    int gone = 0;
    int alive = 0;  // receivers
    std::shared_ptr<WebSocket> socket;
};

// Sends back what it gets, but for a few words.
class Echo final : public WebSocketReceiver {
  public:
    explicit Echo(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) { ++seen_->alive; }
    ~Echo() override { --seen_->alive; }
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;

    void on_message(std::string_view text) override {
        seen_->messages.emplace_back(text);
        if (text == "close") return seen_->socket->close(4001, "as you wish");
        if (text == "twice") seen_->socket->send(text_frame("once"));
        seen_->socket->send(text_frame(text));
    }
    void on_gone() override { ++seen_->gone; }

  private:
    std::shared_ptr<Seen> seen_;
};

class UpgradingHandler final : public Handler {
  public:
    UpgradingHandler(std::shared_ptr<Seen> seen, Loop& loop, WebSocketOptions options)
        : seen_(std::move(seen)), loop_(loop), options_(options) {}

    BodyPlan plan_body(const Request&) override { return {}; }
    void handle(const Request& request, Exchange exchange) override {
        if (request.target != "/ws") return exchange.send({.body = request.target});
        const auto accepted =
            accept_websocket(request, exchange, loop_, options_, std::make_shared<Echo>(seen_));
        if (!accepted) return exchange.send({.status = 426, .body = accepted.error().detail});
        seen_->socket = *accepted;
    }
    std::unique_ptr<BodySink> handle_stream(const Request&, Exchange) override { return nullptr; }
    void describe(const TransportProblem& problem, std::string&, std::string& body) override {
        body = problem.detail;
    }

  private:
    std::shared_ptr<Seen> seen_;
    Loop& loop_;
    WebSocketOptions options_;
};

class WebSocketTest : public testing::Test {
  protected:
    template <class Look>
    auto on_loop(Look look) {
        std::promise<decltype(look())> done;
        server_->loop(0).post([&] { done.set_value(look()); });
        return done.get_future().get();
    }
    ~WebSocketTest() override {
        if (server_) stop();
    }
    // What a loop made must not outlive it.
    void stop() {
        on_loop([&] { return seen_->socket.reset(), true; });
        server_->stop();
    }

    void start(const WebSocketOptions& options = {}) {
        auto started = Server::start(
            {.port = 0, .loops = 1, .limits = {}}, [seen = seen_, options](Loop& loop) {
                return std::make_unique<UpgradingHandler>(seen, loop, options);
            });
        CHECK(started);
        server_ = std::move(*started);
    }

    // An upgraded client.
    std::unique_ptr<Client> connect(int receive_buffer = 0) {
        auto client = std::make_unique<Client>(server_->port(), receive_buffer);
        client->send(kUpgrade);
        const Answer answer = client->read_head();
        EXPECT_EQ(answer.status, 101);
        EXPECT_TRUE(answer.has("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        return client;
    }

    // True when `bytes` are the next that come.
    static bool hears(Client& client, const std::string& bytes) {
        while (client.received().size() < bytes.size()) {
            if (!client.receive()) break;
        }
        return client.received() == bytes;
    }

    bool eventually(const std::function<bool()>& condition) {
        const auto until = std::chrono::steady_clock::now() + 10s;
        while (std::chrono::steady_clock::now() < until) {
            if (on_loop(condition)) return true;
        }
        return false;
    }
    // The socket's end is told, and nothing is left of it once its user lets it go.
    void expect_gone() {
        EXPECT_TRUE(eventually([&] { return seen_->gone == 1 && !seen_->socket->open(); }));
        on_loop([&] { return seen_->socket.reset(), true; });
        EXPECT_TRUE(eventually([&] { return seen_->alive == 0; }));
    }

    std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
    std::unique_ptr<Server> server_;
};

TEST_F(WebSocketTest, CarriesMessagesBothWays) {
    start();
    const auto client = connect();
    client->send(sent(kText, "hello"));
    EXPECT_TRUE(hears(*client, text_frame("hello")));
    client->reset_at_end();
}

TEST_F(WebSocketTest, TakesBytesHoweverTheyCome) {
    start();
    const std::string bytes = sent(kText, "one") + sent(kTextBegins, "t") + sent(kPing, "p") +
                              sent(kGoesOn, "w") + sent(kEnds, "o") + sent(kText, "twice") +
                              sent(kText, std::string(300, 'x'));
    const std::string answer = text_frame("one") + "\x8A\x01p" + text_frame("two") +
                               text_frame("once") + text_frame("twice") +
                               text_frame(std::string(300, 'x'));
    const auto whole = connect();
    whole->send(bytes);
    EXPECT_TRUE(hears(*whole, answer));
    const auto bytewise = connect();
    bytewise->send_bytewise(bytes);
    EXPECT_TRUE(hears(*bytewise, answer));
}

TEST_F(WebSocketTest, HearsWhatCameWithTheUpgrade) {
    start();
    Client client(server_->port());
    client.send(get_line("/before") + kUpgrade + sent(kText, "early"));
    EXPECT_EQ(client.read().body, "/before");
    EXPECT_EQ(client.read_head().status, 101);
    EXPECT_TRUE(hears(client, text_frame("early")));
}

TEST_F(WebSocketTest, SaysWhyItCloses) {
    start();
    const auto client = connect();
    client->send(sent(kText, "close") + sent(kText, "unheard"));
    EXPECT_TRUE(hears(*client, close_frame(4001, "as you wish")));
    EXPECT_EQ(on_loop([&] { return seen_->messages; }), std::vector<std::string>{"close"});
    EXPECT_EQ(on_loop([&] { return seen_->gone; }), 0) << "it closed itself";
    on_loop([&] {
        seen_->socket->send(text_frame("late"));
        seen_->socket->close(4002, "again");
        return true;
    });
    client->shutdown_write();
    EXPECT_FALSE(client->receive()) << "nothing behind a close";
    on_loop([&] { return seen_->socket.reset(), true; });
    EXPECT_TRUE(eventually([&] { return seen_->alive == 0; }));
}

TEST_F(WebSocketTest, AnswersAClose) {
    start();
    const auto client = connect();
    client->send(sent(kClose, std::string("\x03\xE8", 2) + "bye"));
    while (client->receive()) {
    }
    EXPECT_EQ(client->received().substr(0, 1), std::string(1, kClose));
    expect_gone();
}

TEST_F(WebSocketTest, ClosesForWhatBreaksTheRules) {
    const std::pair<std::string, int> wrong[] = {
        {"\x81\x02hi", 1002},        {sent('\xC1', "hi"), 1002},
        {sent(kEnds, "hi"), 1002},   {sent(kBinary, "hi"), 1003},
        {sent(kText, "\xFF"), 1007}, {sent(kText, std::string(2000, 'x')), 1009},
    };
    for (const auto& [bytes, code] : wrong) {
        seen_ = std::make_shared<Seen>();
        start({.protocol = {}, .max_message_bytes = 1000});
        const auto client = connect();
        client->send(bytes);
        client->shutdown_write();
        while (client->receive()) {
        }
        ASSERT_GE(client->received().size(), 4U) << code;
        EXPECT_EQ(client->received().substr(0, 1), std::string(1, kClose)) << code;
        EXPECT_EQ(client->received().substr(2, 2), close_frame(code).substr(2, 2)) << code;
        expect_gone();
        stop();
    }
    server_.reset();
}

TEST_F(WebSocketTest, NoticesAClientThatGoes) {
    start();
    {
        const auto client = connect();
        client->send(sent(kText, "here"));
        EXPECT_TRUE(hears(*client, text_frame("here")));
        client->reset_at_end();
    }
    expect_gone();
}

TEST_F(WebSocketTest, AsksASilentClientForASignOfLife) {
    start({.protocol = {},
           .max_message_bytes = 1000,
           .max_kernel_unsent = 1000,
           .ping_after = 500ms});
    const auto client = connect();
    EXPECT_TRUE(hears(*client, std::string("\x89\x00", 2)));
    client->send(sent('\x8A', ""));
    EXPECT_TRUE(hears(*client, std::string("\x89\x00\x89\x00", 4))) << "asked again";
    EXPECT_TRUE(client->is_gone()) << "which it did not answer";
    expect_gone();
}

TEST_F(WebSocketTest, NamesTheProtocol) {
    start({.protocol = "chess"});
    Client client(server_->port());
    client.send(kUpgrade);
    EXPECT_TRUE(client.read_head().has("Sec-WebSocket-Protocol: chess\r\n"));
}

TEST_F(WebSocketTest, TellsWhenWhatIsUnsentWasRead) {
    start();
    const auto client = connect();
    bool drained = false;
    on_loop([&] {
        seen_->socket->send(text_frame(std::string(100'000, 'x')));
        seen_->socket->when_unsent_at_most(0, [&] { drained = true; });
        return seen_->socket->unsent_bytes();
    });
    EXPECT_TRUE(hears(*client, text_frame(std::string(100'000, 'x'))));
    EXPECT_TRUE(eventually([&] { return drained; }));
}

TEST_F(WebSocketTest, SendsAFrameOnTheSpotAndMoreOfThemTogether) {
    start();
    const auto client = connect();
    const auto send = [&](const std::string& text) {
        seen_->socket->send(text_frame(text));
        return seen_->socket->unsent_bytes();
    };
    EXPECT_EQ(on_loop([&] { return send("one"); }), 0U);
    const auto unsent = on_loop([&] {
        return std::array{send("two"), send("three"), send("four")};
    });
    const std::size_t three = text_frame("three").size();
    EXPECT_EQ(unsent, (std::array{std::size_t{0}, three, three + text_frame("four").size()}));
    EXPECT_TRUE(hears(
        *client, text_frame("one") + text_frame("two") + text_frame("three") + text_frame("four")));
}

TEST_F(WebSocketTest, SendsFramesInOrderHoweverLittleTheSocketTakes) {
    start();
    const auto client = connect(4096);
    std::string all;
    for (int entry = 0; entry < 20; ++entry) {
        // More than the socket takes, and a little behind it; then a little before it.
        std::string frames[] = {text_frame(std::string(400'000, static_cast<char>('a' + entry))),
                                text_frame("small"), text_frame(std::string(70'000, 'x'))};
        if (entry % 3 == 2) std::swap(frames[0], frames[1]);
        on_loop([&] {
            for (const std::string& frame : frames) seen_->socket->send(frame);
            return true;
        });
        for (const std::string& frame : frames) all += frame;
        // Now and then all is read, so that the next frame finds nothing before it.
        if (entry % 4 == 3) {
            ASSERT_TRUE(hears(*client, all)) << entry;
        }
    }
}

TEST_F(WebSocketTest, LetsGoOfAClientThatIsLostWhileItIsSentTo) {
    start();
    auto client = connect();
    client->reset_at_end();
    on_loop([&] {
        client.reset();  // the loop hears of it later: the frame is the first to fail
        seen_->socket->send(text_frame(std::string(1000, 'x')));
        return true;
    });
    EXPECT_TRUE(eventually([&] { return !seen_->socket->open(); }));
    expect_gone();
}

TEST_F(WebSocketTest, RefusesWhatIsNoUpgrade) {
    start();
    const auto without = [](std::string text, const std::string& part) {
        return text.erase(text.find(part), part.size());
    };
    for (const std::string& part :
         {std::string("Upgrade: websocket\r\n"), std::string("Connection: Upgrade\r\n"),
          std::string("Sec-WebSocket-Version: 13\r\n"), std::string("ZQ==")}) {
        Client client(server_->port());
        EXPECT_EQ(client.request(without(kUpgrade, part)).status, 426) << part;
        EXPECT_EQ(client.get("/next").body, "/next") << "the connection goes on";
    }
}

}  // namespace
}  // namespace standings::net
