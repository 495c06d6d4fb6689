#include "watcher.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "crowd.h"

namespace load {
namespace {

// The example of RFC 6455: which answer is right is known.
constexpr std::string_view kUpgrade =
    "GET /v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: standings.v1\r\n\r\n";
constexpr std::string_view kAccepted = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

constexpr unsigned char kText = 0x81;
constexpr unsigned char kClose = 0x88;
constexpr unsigned char kPing = 0x89;
constexpr unsigned char kPong = 0x8A;

// Ephemeral ports are counted for each source address; what has been closed keeps its own for a
// minute.
constexpr std::size_t kSocketsPerAddress = 10'000;
// The least that the kernel gives.
constexpr int kDeafBuffer = 4096;

// A whole frame of a server at the front of a buffer.
struct Frame {
    unsigned char first = 0;
    std::string_view payload;
    std::size_t bytes = 0;  // 0: not whole yet
};

Frame frame_at(std::string_view bytes) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    if (bytes.size() < 2) return {};
    const unsigned char marker = byte(1) & 0x7F;
    const std::size_t width = marker < 126 ? 0 : marker == 126 ? 2 : 8;
    if (bytes.size() < 2 + width) return {};
    std::size_t size = width == 0 ? marker : 0;
    for (std::size_t i = 0; i < width; ++i) size = size << 8 | byte(2 + i);
    if (bytes.size() - 2 - width < size) return {};
    return {.first = byte(0), .payload = bytes.substr(2 + width, size), .bytes = 2 + width + size};
}

// Masked with zeros, which changes nothing: the mask guards proxies, and there are none here.
std::string client_frame(unsigned char first, std::string_view payload) {
    constexpr unsigned kIsMasked = 0x80;
    std::string frame(1, static_cast<char>(first));
    if (payload.size() < 126) {
        frame += static_cast<char>(kIsMasked | payload.size());
    } else {
        frame += static_cast<char>(kIsMasked | 126U);
        frame += static_cast<char>(payload.size() >> 8);
        frame += static_cast<char>(payload.size() & 0xFF);
    }
    frame.append(4, '\0');
    frame += payload;
    return frame;
}

std::string watch_request(const WatchSettings& settings, const View& view, const Rows* since) {
    std::string json = R"({"id":1,"op":"watch","board":")" + settings.clients.board +
                       R"(","view":)" + view.json() + R"(,"rate":)" + std::to_string(settings.rate);
    if (since != nullptr) {
        json += R"(,"since":{"epoch":")" + since->epoch + R"(","seq":)" +
                std::to_string(since->seq) + "}";
    }
    return client_frame(kText, json + "}");
}

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
        fail("no IPv4 address: " + host);
    }
    return address;
}

// Begins to connect; less than 0: refused at once.
int begin_to_connect(const WatchSettings& settings, std::size_t number, int receive_buffer = 0) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) fail("socket: " + std::string(std::strerror(errno)));
    const int on = 1;
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer > 0) {
        ::setsockopt(made, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    if (const std::size_t place = number / kSocketsPerAddress; place > 0) {
        sockaddr_in source = address_of("127.0.0.1", 0);
        source.sin_addr.s_addr =
            htonl(ntohl(source.sin_addr.s_addr) + static_cast<std::uint32_t>(place));
        ::setsockopt(made, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (::bind(made, reinterpret_cast<sockaddr*>(&source), sizeof source) != 0) {
            fail("bind: " + std::string(std::strerror(errno)));
        }
    }
    sockaddr_in server = address_of(settings.clients.host, settings.clients.port);
    if (::connect(made, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0 &&
        errno != EINPROGRESS) {
        const int refusal = errno;
        ::close(made);
        errno = refusal;
        return -1;
    }
    return made;
}

std::string close_reason(std::string_view payload) {
    if (payload.size() < 2) return "closed without a code";
    const unsigned code =
        static_cast<unsigned char>(payload[0]) * 256U + static_cast<unsigned char>(payload[1]);
    return "closed with " + std::to_string(code) + " " + std::string(payload.substr(2));
}

}  // namespace

Watcher::Watcher(Crowd& crowd, std::size_t number, View view)
    : crowd_(crowd),
      number_(number),
      view_(std::move(view)),
      name_(view_.name(crowd.settings().clients.board)) {}

void Watcher::connect() {
    began_ = Clock::now();
    comes_back_.reset();
    socket_ = begin_to_connect(crowd_.settings(), number_);
    if (socket_ < 0) return crowd_.refused(*this, "connect: " + std::string(std::strerror(errno)));
    state_ = State::kConnecting;
    crowd_.poll().add(socket_, EPOLLOUT, *this);
}

void Watcher::on_ready(std::uint32_t) {
    if (state_ == State::kConnecting) return connected();
    if (state_ != State::kClosed) receive();
}

void Watcher::connected() {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        close();
        return crowd_.refused(*this, "connect: " + std::string(std::strerror(error)));
    }
    crowd_.connected();
    crowd_.poll().change(socket_, EPOLLIN, *this);
    state_ = State::kUpgrading;
    // A new socket has room for this, and for all that follows: none of it is long.
    ::send(socket_, kUpgrade.data(), kUpgrade.size(), MSG_NOSIGNAL);
}

void Watcher::receive() {
    std::string& room = crowd_.room();
    const ssize_t count = ::recv(socket_, room.data(), room.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) return lose(std::strerror(errno));
    if (count == 0) return lose("the connection ended");
    const std::string_view bytes(room.data(), static_cast<std::size_t>(count));
    if (partial_.empty()) {
        partial_ = bytes.substr(take(bytes));
        return;
    }
    std::string whole = std::exchange(partial_, {});
    whole += bytes;
    partial_ = std::string_view(whole).substr(take(whole));
}

std::size_t Watcher::take(std::string_view bytes) {
    std::size_t used = 0;
    while (state_ != State::kClosed) {
        const std::string_view rest = bytes.substr(used);
        if (state_ == State::kUpgrading) {
            const std::size_t head = take_upgrade(rest);
            if (head == 0) return used;
            used += head;
            continue;
        }
        const Frame frame = frame_at(rest);
        if (frame.bytes == 0) return used;
        used += frame.bytes;
        if (frame.first == kText) {
            hear(frame.payload);
        } else if (frame.first == kPing) {
            ++crowd_.counts().pings;
            send(kPong, frame.payload);
        } else if (frame.first == kClose) {
            lose(close_reason(frame.payload));
        } else {
            crowd_.complain({false, "a frame that begins with " + std::to_string(frame.first)});
            close();
        }
    }
    return bytes.size();
}

std::size_t Watcher::take_upgrade(std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const std::string_view head = bytes.substr(0, end + 4);
    if (!head.starts_with("HTTP/1.1 101 ") || head.find(kAccepted) == std::string_view::npos) {
        close();
        crowd_.refused(*this, "not upgraded: " + std::string(head));
        return head.size();
    }
    state_ = State::kWatching;
    const std::string request = watch_request(crowd_.settings(), view_, rows_.get());
    ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    return head.size();
}

void Watcher::hear(std::string_view text) {
    Counts& counts = crowd_.counts();
    const SharedMessage message = crowd_.messages().read(text);
    switch (message->kind) {
        case MessageKind::kUnreadable:
            crowd_.complain({false, "not a message: " + std::string(text)});
            return close();
        case MessageKind::kAnswer:
            return take_answer(*message);
        case MessageKind::kSnapshot:
            ++counts.snapshots;
            break;
        case MessageKind::kDelta:
            ++counts.deltas;
            break;
        case MessageKind::kBeat:
            ++counts.beats;
            break;
        case MessageKind::kEvent:
            ++counts.events;
            counts.bytes += text.size();
            return;
        case MessageKind::kBye:
            ++counts.byes;
            comes_back_ = Clock::now() + std::chrono::milliseconds(message->retry_after_ms);
            return;
    }
    counts.bytes += text.size();
    take_rows(*message);
}

void Watcher::take_answer(const Message& answer) {
    if (!answer.ok || answer.view != name_) {
        crowd_.complain({false, "not watched: " + answer.text});
        return close();
    }
    if (!rows_) return;
    ++(answer.recovered ? crowd_.counts().recovered : crowd_.counts().unrecovered);
    resumes_ = answer.recovered;
    if (answer.recovered) has_rows();
}

void Watcher::take_rows(const Message& message) {
    if (message.view != name_) {
        crowd_.complain({false, "to a watcher of " + name_ + ": " + message.text});
        return close();
    }
    if (!has_rows_ && message.kind != MessageKind::kSnapshot) {
        crowd_.complain({true, "before a snapshot: " + message.text});
        return close();
    }
    auto result = crowd_.replay().apply(view_, rows_, message, resumes_);
    if (const auto* const complaint = std::get_if<Complaint>(&result)) {
        crowd_.complain(*complaint);
        return close();
    }
    resumes_ = false;
    rows_ = std::get<SharedRows>(std::move(result));
    if (!has_rows_) has_rows();
    if (crowd_.samples(number_)) arrivals_.push_back({rows_->seq, Clock::now()});
}

void Watcher::has_rows() {
    has_rows_ = true;
    crowd_.has_rows(Clock::now() - began_);
}

void Watcher::send(unsigned char first, std::string_view payload) {
    const std::string frame = client_frame(first, payload);
    ::send(socket_, frame.data(), frame.size(), MSG_NOSIGNAL);
}

void Watcher::lose(const std::string& why) {
    const bool had_rows = has_rows_;
    close();
    crowd_.lost(*this, had_rows, comes_back_, why);
}

void Watcher::close() {
    if (socket_ < 0) return;
    ::close(socket_);
    socket_ = -1;
    state_ = State::kClosed;
    partial_.clear();
    has_rows_ = resumes_ = false;
}

// --- who never reads ------------------------------------------------------------------------

DeafSocket::DeafSocket(const WatchSettings& settings, Poll& poll, const View& view)
    : poll_(poll), socket_(begin_to_connect(settings, 0, kDeafBuffer)), began_(Clock::now()) {
    if (socket_ < 0) fail("connect: " + std::string(std::strerror(errno)));
    said_ = std::string(kUpgrade) + watch_request(settings, view, nullptr);
    poll_.add(socket_, EPOLLOUT, *this);
}

void DeafSocket::on_ready(std::uint32_t events) {
    if (socket_ < 0) return;
    if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) {
        if (!said_.empty()) fail("a socket that shall not read was not let in");
        seconds_ = std::chrono::duration<double>(Clock::now() - began_).count();
        return close();
    }
    ::send(socket_, said_.data(), said_.size(), MSG_NOSIGNAL);
    said_.clear();
    // Nothing but its end.
    poll_.change(socket_, EPOLLRDHUP, *this);
}

void DeafSocket::close() {
    if (socket_ < 0) return;
    ::close(socket_);
    socket_ = -1;
}

}  // namespace load
