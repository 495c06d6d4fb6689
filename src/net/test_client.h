// A blocking raw socket and a scripted handler, for the tests of the server.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "net/server.h"

namespace standings::net {

inline std::string get_line(const std::string& target, const std::string& more = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n";
}

inline std::string post(const std::string& target, const std::string& body) {
    return "POST " + target +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}

inline std::string chunked_post(const std::string& target, const std::string& more = {}) {
    return "POST " + target + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + more +
           "\r\n";
}

inline std::string chunk(const std::string& bytes) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + bytes + "\r\n";
}

struct Answer {
    int status = 0;  // 0: the connection ended before an answer
    std::string head;
    std::string body;
    bool has(std::string_view line) const { return head.find(line) != std::string::npos; }
};

// Gives up after 10 s, so that a server that never answers fails a test rather than hanging it.
class Client {
  public:
    Client() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        CHECK(socket_ >= 0);
        const timeval patience{.tv_sec = 10, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    explicit Client(std::uint16_t port, int receive_buffer = 0) : Client() {
        if (receive_buffer > 0) {
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        }
        connect(port);
    }
    ~Client() { ::close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool connect(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        // Linux goes on with a connection whose connect() was interrupted.
        connected_ =
            uninterrupted([&] {
                return ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
            }) == 0;
        return connected_;
    }
    bool connected() const { return connected_; }
    // Something came, or the end of the connection, within this time.
    bool has_input(std::chrono::milliseconds within) {
        pollfd wanted{.fd = socket_, .events = POLLIN, .revents = 0};
        return uninterrupted(
                   [&] { return ::poll(&wanted, 1, static_cast<int>(within.count())); }) == 1;
    }

    // False when the server has ended the connection.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto count = uninterrupted(
                [&] { return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
            if (count <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }
    bool send_bytewise(std::string_view bytes) {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            if (!send(bytes.substr(i, 1))) return false;
        }
        return true;
    }
    void shutdown_write() { ::shutdown(socket_, SHUT_WR); }
    // Ending it resets the connection.
    void reset_at_end() {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }

    // More bytes into `received`; false at the end of the connection.
    bool receive() {
        char bytes[64 * 1024];
        const auto count = uninterrupted([&] { return ::recv(socket_, bytes, sizeof bytes, 0); });
        if (count < 0) was_reset_ = errno == ECONNRESET;
        if (count < 0 && !was_reset_) timed_out_ = true;
        if (count <= 0) return false;
        received_.append(bytes, static_cast<std::size_t>(count));
        return true;
    }
    // At most `room` bytes, past `received`; 0 at the end of the connection.
    std::size_t receive_some(char* bytes, std::size_t room) {
        const auto count = uninterrupted([&] { return ::recv(socket_, bytes, room, 0); });
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    // The next answer, its chunks put together.
    Answer read(bool to_head = false) {
        Answer answer;
        const auto end = find("\r\n\r\n");
        if (!end) return answer;
        answer.head = take(*end + 4);
        answer.status = std::atoi(answer.head.c_str() + 9);
        if (to_head || answer.status == 204 || answer.status == 304 || answer.status == 100) {
            return answer;
        }
        if (const auto at = answer.head.find("Content-Length: "); at != std::string::npos) {
            const auto length = std::strtoul(answer.head.c_str() + at + 16, nullptr, 10);
            while (received_.size() < length) {
                if (!receive()) return {};
            }
            answer.body = take(length);
        } else if (answer.has("Transfer-Encoding: chunked")) {
            while (auto chunk = read_chunk()) {
                if (chunk->empty()) return answer;
                answer.body += *chunk;
            }
            return {};
        } else {
            while (receive()) {
            }
            answer.body = take(received_.size());
        }
        return answer;
    }
    // The head of a streamed answer; the chunks come one by one.
    Answer read_head() {
        const auto end = find("\r\n\r\n");
        if (!end) return {};
        Answer answer;
        answer.head = take(*end + 4);
        answer.status = std::atoi(answer.head.c_str() + 9);
        return answer;
    }
    // The next chunk, empty for the last one; none when the connection ended.
    std::optional<std::string> read_chunk() {
        const auto line = find("\r\n");
        if (!line) return std::nullopt;
        const auto length = std::strtoul(take(*line + 2).c_str(), nullptr, 16);
        while (received_.size() < length + 2) {
            if (!receive()) return std::nullopt;
        }
        auto chunk = take(length);
        take(2);
        return chunk;
    }
    // Nothing more comes, and the server ended it in order.
    bool is_closed() {
        while (receive()) {
        }
        return !timed_out_ && !was_reset_ && received_.empty();
    }
    // The server ended it, in whatever way.
    bool is_gone() {
        while (receive()) {
        }
        return !timed_out_;
    }
    const std::string& received() const { return received_; }

    Answer request(std::string_view bytes) { return send(bytes) ? read() : Answer(); }
    Answer get(const std::string& target) {
        return request("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    }

  private:
    // libFuzzer's timer interrupts a call now and then.
    template <class Call>
    static ssize_t uninterrupted(Call call) {
        ssize_t count = 0;
        do {
            count = call();
        } while (count < 0 && errno == EINTR);
        return count;
    }
    std::optional<std::size_t> find(std::string_view text) {
        for (;;) {
            const auto at = received_.find(text);
            if (at != std::string::npos) return at;
            if (!receive()) return std::nullopt;
        }
    }
    std::string take(std::size_t length) {
        auto front = received_.substr(0, length);
        received_.erase(0, length);
        return front;
    }

    const int socket_;
    bool connected_ = false;
    bool timed_out_ = false;
    bool was_reset_ = false;
    std::string received_;
};

// What the handlers of one server share with its test. Touched on the loop's thread only (servers
// in these tests have one loop unless they do nothing here).
struct Script {
    std::map<std::string, Exchange> held;  // by target: not answered yet
    std::map<std::string, std::string> stream_bodies;
    std::vector<std::string> events;
    std::function<void(const std::string& target, std::string_view piece, Exchange&)> on_piece;
    bool pause_each_piece = false;
};

// Answers by target: see handle().
class ScriptedHandler final : public Handler {
  public:
    ScriptedHandler(std::shared_ptr<Script> script, Loop& loop)
        : script_(std::move(script)), loop_(loop) {}

    BodyPlan plan_body(const Request& head) override {
        if (head.target.starts_with("/stream")) return {.kind = BodyPlan::Kind::kStream};
        return {.max_bytes = 100'000};
    }

    void handle(const Request& request, Exchange exchange) override {
        const std::string target(request.target);
        if (target == "/echo") {
            return exchange.send({.content_type = "text/plain", .body = request.body});
        }
        if (target == "/headers") {
            std::string body = std::string(request.authorization) + "|" +
                               std::string(request.traceparent) + "|" + std::string(request.peer);
            return exchange.send({.headers = "X-Own: 1\r\n", .body = body});
        }
        if (target.starts_with("/status/")) {
            return exchange.send({.status = std::atoi(target.c_str() + 8), .body = "text"});
        }
        if (target.starts_with("/big/")) {
            return exchange.send(
                {.body = std::string(std::strtoul(target.c_str() + 5, nullptr, 10), 'b')});
        }
        if (target == "/chunks") {
            exchange.begin({.body = "one"});
            exchange.write("two");
            exchange.write("");
            exchange.write("three");
            return exchange.end();
        }
        if (target == "/close") return exchange.send({.body = "bye", .close = true});
        if (target == "/drop") return;
        if (target == "/abort") return exchange.abort();
        if (target.starts_with("/soon")) {
            // Some time soon, in whatever order, in one piece or in several.
            auto later = std::make_shared<Exchange>(std::move(exchange));
            const auto chance = target.size() * 7 + static_cast<std::size_t>(target.back());
            loop_.after(std::chrono::milliseconds(chance % 3), [this, later, target, chance] {
                if (chance % 2 == 0) return later->send({.body = target});
                later->begin({.body = target.substr(0, 1)});
                loop_.post([later, target] {
                    later->write(target.substr(1));
                    later->end();
                });
            });
            return;
        }
        if (target.starts_with("/later")) {
            script_->events.push_back(target);
            script_->held[target] = std::move(exchange);
            return;
        }
        exchange.send({.content_type = "text/plain", .body = target});
    }

    std::unique_ptr<BodySink> handle_stream(const Request& head, Exchange exchange) override {
        const std::string target(head.target);
        if (target == "/stream/refused") {
            exchange.send({.status = 401, .body = "who?"});
            return nullptr;
        }
        script_->held[target] = std::move(exchange);
        script_->events.push_back("begin " + target);
        return std::make_unique<Sink>(script_, target);
    }

    void describe(const TransportProblem& problem, std::string& headers,
                  std::string& body) override {
        headers = "X-Problem: yes\r\n";
        body = problem.detail;
    }

  private:
    class Sink final : public BodySink {
      public:
        Sink(std::shared_ptr<Script> script, std::string target)
            : script_(std::move(script)), target_(std::move(target)) {}
        ~Sink() override { script_->events.push_back("destroyed " + target_); }
        bool on_body(std::string_view piece) override {
            script_->stream_bodies[target_] += piece;
            if (script_->on_piece) script_->on_piece(target_, piece, script_->held[target_]);
            return !script_->pause_each_piece;
        }
        void on_end() override {
            script_->events.push_back("end " + target_);
            if (target_ == "/stream/echo") {
                script_->held[target_].send({.body = script_->stream_bodies[target_]});
            } else if (target_ == "/stream/lines") {
                script_->held[target_].end();
            }
        }
        void on_abort() override { script_->events.push_back("abort " + target_); }

      private:
        std::shared_ptr<Script> script_;
        std::string target_;
    };

    std::shared_ptr<Script> script_;
    Loop& loop_;
};

struct TestServer {
    explicit TestServer(Limits limits = {}, std::size_t loops = 1) {
        auto started = Server::start({.port = 0, .loops = loops, .limits = limits},
                                     [script = script](Loop& loop) {
                                         return std::make_unique<ScriptedHandler>(script, loop);
                                     });
        CHECK(started);
        server = std::move(*started);
    }
    ~TestServer() {
        server->stop();
        script->held.clear();
    }

    std::uint16_t port() const { return server->port(); }

    // Runs `task` on the loop's thread and waits for it.
    template <class Task>
    auto on_loop(Task task) {
        std::promise<decltype(task())> done;
        server->loop(0).post([&] {
            if constexpr (std::is_void_v<decltype(task())>) {
                task();
                done.set_value();
            } else {
                done.set_value(task());
            }
        });
        return done.get_future().get();
    }
    // Asks on the loop until it holds; false after 10 s.
    bool eventually(const std::function<bool()>& condition) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (std::chrono::steady_clock::now() < until) {
            if (on_loop(condition)) return true;
        }
        return false;
    }
    bool saw(const std::string& event) {
        return eventually([&] {
            const auto& events = script->events;
            return std::find(events.begin(), events.end(), event) != events.end();
        });
    }
    void answer(const std::string& target) {
        CHECK(saw(target));
        on_loop([&] { script->held.at(target).send({.body = "answer " + target}); });
    }

    std::shared_ptr<Script> script = std::make_shared<Script>();
    std::unique_ptr<Server> server;
};

}  // namespace standings::net
