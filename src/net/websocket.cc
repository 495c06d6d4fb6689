#include "net/websocket.h"

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <optional>
#include <utility>

#include "base/check.h"
#include "net/event_loop.h"
#include "net/fragment_count.h"

namespace standings::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

// --- what Beast reads from and writes to -----------------------------------------------------

// A read that waits for bytes.
class PendingRead {
  public:
    virtual ~PendingRead() = default;
    // Takes what fits of `bytes`, and goes on. Destroys itself first.
    static void complete(std::unique_ptr<PendingRead> read, std::string_view& bytes) {
        read.release()->run(bytes);
    }

  private:
    virtual void run(std::string_view& bytes) = 0;
};

template <class Buffers, class Handler>
class PendingReadOf final : public PendingRead {
  public:
    PendingReadOf(const Buffers& buffers, Handler handler)
        : buffers_(buffers), handler_(std::move(handler)) {}

  private:
    void run(std::string_view& bytes) override {
        const std::unique_ptr<PendingReadOf> self(this);
        const std::size_t taken =
            asio::buffer_copy(buffers_, asio::buffer(bytes.data(), bytes.size()));
        bytes.remove_prefix(taken);
        Handler handler = std::move(handler_);
        handler(error_code{}, taken);
    }

    Buffers buffers_;
    Handler handler_;
};

// Beast's side of the connection: bytes are handed in, and what it writes joins the frames of
// others in the connection's output, each write whole.
class Wire {
  public:
    using executor_type = asio::io_context::executor_type;

    Wire(asio::io_context& context, std::function<void(std::string_view)> write)
        : executor_(context.get_executor()), write_(std::move(write)) {}

    executor_type get_executor() const { return executor_; }

    bool wants_bytes() const { return read_ != nullptr; }
    void give(std::string_view& bytes) { PendingRead::complete(std::move(read_), bytes); }
    // Called when a read begins while bytes may be waiting.
    std::function<void()> on_wanted;

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            [this](auto handler, const Buffers& into) {
                using Handler = decltype(handler);
                read_ = std::make_unique<PendingReadOf<Buffers, Handler>>(into, std::move(handler));
                on_wanted();
            },
            token, buffers);
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            [this](auto handler, const Buffers& from) {
                std::string bytes(asio::buffer_size(from), '\0');
                asio::buffer_copy(asio::buffer(bytes), from);
                write_(bytes);
                asio::post(executor_,
                           [handler = std::move(handler), size = bytes.size()]() mutable {
                               handler(error_code{}, size);
                           });
            },
            token, buffers);
    }

  private:
    executor_type executor_;
    std::function<void(std::string_view)> write_;
    std::unique_ptr<PendingRead> read_;
};

// Beast's own time-outs are off; the connection has its own.
void beast_close_socket(Wire&) {}
// The connection ends by itself.
template <class Handler>
void async_teardown(beast::role_type, Wire& wire, Handler&& handler) {
    asio::post(wire.get_executor(),
               [handler = std::forward<Handler>(handler)]() mutable { handler(error_code{}); });
}

std::string frame_head(unsigned char first, std::size_t size) {
    std::string head(1, static_cast<char>(first));
    const auto add = [&](std::size_t value, int bytes) {
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
            head += static_cast<char>(value >> shift & 0xFF);
        }
    };
    if (size < 126) {
        add(size, 1);
    } else if (size < 65536) {
        add(126, 1);
        add(size, 2);
    } else {
        add(127, 1);
        add(size, 8);
    }
    return head;
}

constexpr unsigned char kTextFrame = 0x81;
constexpr unsigned char kCloseFrame = 0x88;
constexpr unsigned char kPingFrame = 0x89;
constexpr std::uint16_t kUnsupportedData = 1003;
constexpr std::uint16_t kPolicyViolation = 1008;
constexpr std::size_t kMaxReason = 123;  // of a control frame, beside the code

// --- one socket ------------------------------------------------------------------------------

class Session final : public WebSocket, public std::enable_shared_from_this<Session> {
  public:
    Session(EventLoop& loop, const WebSocketOptions& options,
            std::shared_ptr<WebSocketReceiver> receiver)
        : loop_(loop),
          options_(options),
          receiver_(std::move(receiver)),
          fragments_(options.max_fragments),
          stream_(loop.context(), [this](std::string_view bytes) { write(bytes); }) {
        stream_.next_layer().on_wanted = [this] { give_later(); };
        stream_.read_message_max(options.max_message_bytes);
    }

    void start(const Request& request, Exchange exchange);

    // From the connection.
    bool take(std::string_view bytes);
    void lost();

    void send(std::string_view frame) override {
        if (!is_closing_) exchange_.write(frame);
    }
    void close(std::uint16_t code, std::string_view reason) override;
    bool open() const override { return !is_closing_ && exchange_.open(); }
    std::size_t unsent_bytes() const override { return exchange_.unsent_bytes(); }
    void when_unsent_at_most(std::size_t bytes, std::function<void()> task) override {
        exchange_.when_unsent_at_most(bytes, std::move(task));
    }

  private:
    void write(std::string_view bytes);
    void give();
    void give_later();
    void read_message();
    void message_read(error_code error);
    void refuse(std::uint16_t code, std::string_view reason);
    void end();
    void watch_silence();

    EventLoop& loop_;
    const WebSocketOptions options_;
    std::shared_ptr<WebSocketReceiver> receiver_;  // none: it heard of the end
    Exchange exchange_;
    FragmentCount fragments_;
    websocket::stream<Wire, false> stream_;
    beast::flat_buffer message_;
    std::string head_;     // of the answer to the upgrade, which Beast makes
    std::string waiting_;  // bytes that Beast has not asked for yet
    bool has_head_ = false;
    bool is_giving_ = false;
    bool will_give_ = false;
    bool is_paused_ = false;
    bool is_closing_ = false;
    bool heard_ = false;  // something, since the last look
    bool asked_ = false;  // for a sign of life
};

// What the connection holds of a session.
class SessionSink final : public BodySink {
  public:
    explicit SessionSink(std::shared_ptr<Session> session) : session_(std::move(session)) {}
    bool on_body(std::string_view piece) override { return session_->take(piece); }
    void on_end() override {}
    void on_abort() override { session_->lost(); }

  private:
    std::shared_ptr<Session> session_;
};

void Session::start(const Request& request, Exchange exchange) {
    http::request<http::empty_body> upgrade(http::verb::get, "/", 11);
    upgrade.set(http::field::host, "localhost");  // checked long ago
    upgrade.set(http::field::connection, "upgrade");
    upgrade.set(http::field::upgrade, "websocket");
    const auto text = [](std::string_view view) {
        return beast::string_view(view.data(), view.size());
    };
    upgrade.set(http::field::sec_websocket_key, text(request.websocket_key));
    upgrade.set(http::field::sec_websocket_version, text(request.websocket_version));
    stream_.set_option(
        websocket::stream_base::decorator([this, text](websocket::response_type& answer) {
            if (!options_.protocol.empty()) {
                answer.set(http::field::sec_websocket_protocol, text(options_.protocol));
            }
        }));
    stream_.async_accept(upgrade, [here = weak_from_this()](error_code error) {
        const auto self = here.lock();
        if (self && !error) self->read_message();
    });
    // Beast has written its answer by now, status line and end included.
    constexpr std::string_view kStatus = "HTTP/1.1 101 Switching Protocols\r\n";
    CHECK(head_.starts_with(kStatus) && head_.ends_with("\r\n\r\n"));
    std::string lines =
        head_.substr(kStatus.size(), head_.size() - kStatus.size() - 2) + options_.headers;
    // Beast names itself and its version, behind what the decorator does.
    if (const std::size_t server = lines.find("Server: "); server != std::string::npos) {
        lines.erase(server, lines.find("\r\n", server) + 2 - server);
    }
    exchange_ = std::move(exchange);
    exchange_.upgrade(lines, std::make_unique<SessionSink>(shared_from_this()));
    exchange_.bound_unsent(options_.max_kernel_unsent);
    has_head_ = true;
    head_ = std::string();
    watch_silence();
}

// Of Beast: the answer to the upgrade, pongs, and the answer to a close.
void Session::write(std::string_view bytes) {
    if (!has_head_) {
        head_ += bytes;
        return;
    }
    if (is_closing_) return;
    exchange_.write(bytes);
    if ((static_cast<unsigned char>(bytes.front()) & 0x8F) == kCloseFrame) is_closing_ = true;
    // Outside of a turn of the loop nobody would flush it.
    if (!is_giving_) loop_.post([] {});
}

bool Session::take(std::string_view bytes) {
    if (is_closing_) return true;  // nobody hears it
    heard_ = true;
    const std::string_view allowed = bytes.substr(0, fragments_.allowed(bytes));
    waiting_ += allowed;
    give();
    if (allowed.size() < bytes.size()) refuse(kPolicyViolation, "too many fragments");
    is_paused_ = !waiting_.empty();
    return !is_paused_;
}

void Session::give() {
    const auto self = shared_from_this();
    is_giving_ = true;
    std::string bytes = std::move(waiting_);
    waiting_.clear();
    std::string_view rest = bytes;
    while (!rest.empty() && stream_.next_layer().wants_bytes()) stream_.next_layer().give(rest);
    is_giving_ = false;
    waiting_ = rest;
    if (waiting_.empty() && std::exchange(is_paused_, false)) exchange_.resume_body();
}

void Session::give_later() {
    if (is_giving_ || waiting_.empty() || std::exchange(will_give_, true)) return;
    loop_.post([here = weak_from_this()] {
        const auto self = here.lock();
        if (!self) return;
        self->will_give_ = false;
        self->give();
    });
}

void Session::read_message() {
    stream_.async_read(message_, [here = weak_from_this()](error_code error, std::size_t) {
        const auto self = here.lock();
        if (!self) return;
        if (self->is_giving_) return self->message_read(error);
        self->loop_.post([self, error] { self->message_read(error); });
    });
}

void Session::message_read(error_code error) {
    if (!receiver_) return;
    if (error) return end();
    if (!stream_.got_text()) return refuse(kUnsupportedData, "text frames only");
    const auto bytes = message_.data();
    const auto receiver = receiver_;
    receiver->on_message({static_cast<const char*>(bytes.data()), bytes.size()});
    message_ = beast::flat_buffer();
    if (receiver_) read_message();
}

// The client sends what may not be.
void Session::refuse(std::uint16_t code, std::string_view reason) {
    if (is_closing_) return;
    const auto receiver = receiver_;
    close(code, reason);
    if (receiver) receiver->on_gone();
}

// The client has closed, or broken the rules and was told so.
void Session::end() {
    is_closing_ = true;
    const auto receiver = std::move(receiver_);
    receiver_.reset();
    exchange_.end();
    if (receiver) receiver->on_gone();
}

void Session::lost() {
    is_closing_ = true;
    const auto receiver = std::move(receiver_);
    receiver_.reset();
    if (receiver) receiver->on_gone();
}

void Session::close(std::uint16_t code, std::string_view reason) {
    if (is_closing_) return;
    is_closing_ = true;
    reason = reason.substr(0, kMaxReason);
    std::string frame = frame_head(kCloseFrame, 2 + reason.size());
    frame += static_cast<char>(code >> 8);
    frame += static_cast<char>(code & 0xFF);
    frame += reason;
    receiver_.reset();
    exchange_.write(frame);
    exchange_.end();
}

void Session::watch_silence() {
    loop_.after(options_.ping_after, [here = weak_from_this()] {
        const auto self = here.lock();
        if (!self || !self->open()) return;
        if (!std::exchange(self->heard_, false)) {
            if (std::exchange(self->asked_, true)) {
                self->exchange_.abort();
                return self->lost();
            }
            self->exchange_.write(frame_head(kPingFrame, 0));
        } else {
            self->asked_ = false;
        }
        self->watch_silence();
    });
}

}  // namespace

std::string text_frame(std::string_view text) {
    std::string frame = frame_head(kTextFrame, text.size());
    frame += text;
    return frame;
}

base::Result<std::shared_ptr<WebSocket>> accept_websocket(
    const Request& request, Exchange& exchange, Loop& loop, const WebSocketOptions& options,
    std::shared_ptr<WebSocketReceiver> receiver) {
    constexpr std::size_t kKeyBytes = 24;  // 16, in base64
    if (request.method != Method::kGet || !request.wants_websocket ||
        request.websocket_version != "13" || request.websocket_key.size() != kKeyBytes ||
        !request.websocket_key.ends_with("==")) {
        return base::Error{base::ErrorCode::kUpgradeRequired,
                           "This is a WebSocket: send a GET with `Upgrade: websocket`, "
                           "`Sec-WebSocket-Version: 13` and a `Sec-WebSocket-Key`."};
    }
    auto session =
        std::make_shared<Session>(static_cast<EventLoop&>(loop), options, std::move(receiver));
    session->start(request, std::move(exchange));
    return std::shared_ptr<WebSocket>(std::move(session));
}

}  // namespace standings::net
