#include "api/live_socket.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "api/call.h"
#include "api/live_desk.h"
#include "api/live_message.h"
#include "api/live_submission.h"
#include "api/problem.h"
#include "net/websocket.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::string_view kProtocol = "standings.v1";
// Behind, and not a byte read in this time: closed.
constexpr auto kSlowFor = std::chrono::seconds(5);
// Messages of a client: at once, and then each second.
constexpr double kMostMessages = 200;
constexpr double kMessagesPerSecond = 50;

enum class Closing : std::uint16_t {
    kRestart = 1012,
    kSlow = 1013,
    kCredential = 4401,
    kNoBoard = 4404,
    kTooManyWatches = 4409,
    kRate = 4429,
};

class LiveSocket;

// One view on a socket.
class SocketWatch final : public LiveWatcher {
  public:
    SocketWatch(std::weak_ptr<LiveSocket> socket, std::string id)
        : id_(std::move(id)), socket_(std::move(socket)) {}

    void on_welcome(const live::Audience::Welcome& welcome, FrameBytes* frame) override;
    void on_refused(live::Refusal why) override;
    void on_frame(FrameBytes& frame) override;
    void on_caught_up(FrameBytes& snapshot) override;
    void on_event(std::uint64_t number, std::string_view json) override;
    void on_end() override;

    const std::string& id() const { return id_; }

    bool is_answered = false;
    bool is_behind = false;

  private:
    const std::string id_;  // of the message that asked, as it was written
    const std::weak_ptr<LiveSocket> socket_;
};

class LiveSocket final : public net::WebSocketReceiver,
                         public LiveClient,
                         public LiveSubmitter,
                         public std::enable_shared_from_this<LiveSocket> {
  public:
    LiveSocket(LoopTools& tools, access::Caller caller) : tools_(tools), caller_(caller) {
        tools_.live->enter(*this);
    }
    ~LiveSocket() override {
        forget_watches();
        tools_.live->leave(*this);
    }
    LiveSocket(const LiveSocket&) = delete;
    LiveSocket& operator=(const LiveSocket&) = delete;

    void start(std::shared_ptr<net::WebSocket> socket) { socket_ = std::move(socket); }

    // --- of the client
    void on_message(std::string_view text) override;
    void on_gone() override { forget_watches(); }

    // --- of its submissions
    void on_receipt(const std::string& id, std::string_view receipt, bool replayed) override;
    void on_problem(const std::string& id, const Error& error) override { refuse(id, error); }

    // --- of its watches
    void say(std::string_view json);
    // False: there is no room for it, and the watch is behind now.
    bool send(FrameBytes& frame);
    void skip() { ++tools_.service.publisher->statistics().skipped; }
    void fall_behind();
    void say_event(std::uint64_t number, std::string_view json);
    void close(Closing code, std::string_view reason);
    void on_bye() override;
    void refuse(std::string_view id, const Error& error);
    void forget(const SocketWatch& watch);

  private:
    Result<void> authenticate(const std::string& id, const AuthMessage& auth);
    Result<void> watch(const std::string& id, WatchMessage& message);
    Result<void> unwatch(const std::string& id, const UnwatchMessage& message);
    void acknowledge(std::string_view id, std::string_view members);
    bool may_speak();
    using Watches = std::map<std::string, std::shared_ptr<SocketWatch>, std::less<>>;
    void give_up(Watches::iterator watch);
    void forget_watches();
    void look_whether_it_reads(std::uint64_t time_behind);
    void catch_up();

    LoopTools& tools_;
    access::Caller caller_;
    std::shared_ptr<net::WebSocket> socket_;
    Watches watches_;  // by the view's name
    std::uint64_t last_event_ = 0;
    std::uint64_t messages_ = 0;
    double allowance_ = kMostMessages;
    base::Monotonic spoke_at_{};
    std::uint64_t times_behind_ = 0;
    std::size_t unread_ = 0;  // what the client would have to read, had it read nothing since
    bool is_behind_ = false;
    bool will_look_ = false;  // whether it is behind
};

// --- watches --------------------------------------------------------------------------------

void SocketWatch::on_welcome(const live::Audience::Welcome& welcome, FrameBytes* frame) {
    const auto socket = socket_.lock();
    if (!socket) return;
    is_answered = true;
    std::string said = "{\"id\":" + id_ + ",\"ok\":true,";
    text::append_member(said, "view", welcome.name);
    if (welcome.wanted_recovery)
        said += welcome.recovered ? ",\"recovered\":true" : ",\"recovered\":false";
    socket->say(said + '}');
    if (frame != nullptr && !socket->send(*frame)) is_behind = true;
}

void SocketWatch::on_refused(live::Refusal why) {
    const auto socket = socket_.lock();
    if (!socket) return;
    socket->forget(*this);
    if (why == live::Refusal::kTooMany) {
        return socket->refuse(
            id_, {ErrorCode::kOverloaded, "More views are watched than this server takes."});
    }
    socket->refuse(id_, {ErrorCode::kBoardNotFound, "There is no board of this name."});
    socket->close(Closing::kNoBoard, "no such board");
}

void SocketWatch::on_frame(FrameBytes& frame) {
    const auto socket = socket_.lock();
    if (!socket) return;
    if (is_behind) return socket->skip();  // until it is caught up
    is_behind = !socket->send(frame);
}

void SocketWatch::on_caught_up(FrameBytes& snapshot) {
    const auto socket = socket_.lock();
    if (socket) is_behind = !socket->send(snapshot);
}

void SocketWatch::on_event(std::uint64_t number, std::string_view json) {
    if (const auto socket = socket_.lock()) socket->say_event(number, json);
}

void SocketWatch::on_end() {
    const auto socket = socket_.lock();
    if (!socket) return;
    socket->forget(*this);
    socket->close(Closing::kNoBoard, "the board is gone");
}

// --- what a socket sends --------------------------------------------------------------------

void LiveSocket::say(std::string_view json) {
    const std::string frame = net::text_frame(json);
    unread_ += frame.size();
    socket_->send(frame);
    if (socket_->unsent_bytes() <= kMostUnsent || std::exchange(will_look_, true)) return;
    // When it is with the kernel, as far as that takes it: many answers may be of one turn.
    tools_.loop.post([here = weak_from_this()] {
        const auto self = here.lock();
        if (!self) return;
        self->will_look_ = false;
        if (self->socket_->open() && self->socket_->unsent_bytes() > kMostUnsent) {
            self->fall_behind();
        }
    });
}

bool LiveSocket::send(FrameBytes& frame) {
    // Behind with one of its views: the others wait, or it would never come to an end.
    if (is_behind_ || socket_->unsent_bytes() > kMostUnsent) {
        skip();
        fall_behind();
        return false;
    }
    socket_->send(frame.as_text_frame());
    tools_.service.publisher->statistics().count(frame.frame().kind);
    return true;
}

void LiveSocket::fall_behind() {
    if (std::exchange(is_behind_, true)) return;
    socket_->when_unsent_at_most(kCaughtUp, [here = weak_from_this()] {
        if (const auto self = here.lock()) self->catch_up();
    });
    look_whether_it_reads(++times_behind_);
}

void LiveSocket::catch_up() {
    is_behind_ = false;
    if (!socket_->open()) return;
    for (const auto& [name, watch] : watches_) {
        if (watch->is_behind) tools_.live->resync(*watch);
    }
}

// While it is behind it gets no frames, only what it is told in answer.
void LiveSocket::look_whether_it_reads(std::uint64_t time_behind) {
    unread_ = socket_->unsent_bytes();
    tools_.loop.after(kSlowFor, [here = weak_from_this(), time_behind] {
        const auto self = here.lock();
        if (!self || !self->is_behind_ || !self->socket_->open()) return;
        if (self->times_behind_ != time_behind) return;  // it has caught up meanwhile
        if (self->socket_->unsent_bytes() >= self->unread_) {
            return self->close(Closing::kSlow, "too slow");
        }
        self->look_whether_it_reads(time_behind);
    });
}

// Once, however many of its watches are of that board.
void LiveSocket::say_event(std::uint64_t number, std::string_view json) {
    if (std::exchange(last_event_, number) == number || is_behind_) return;
    say(json);
}

void LiveSocket::close(Closing code, std::string_view reason) {
    socket_->close(static_cast<std::uint16_t>(code), reason);
    forget_watches();
}

void LiveSocket::on_bye() {
    const auto self = shared_from_this();
    const std::uint64_t wait = retry_after(tools_.service.random);
    say("{\"type\":\"bye\",\"reason\":\"draining\",\"retry_after_ms\":" + std::to_string(wait) +
        '}');
    close(Closing::kRestart, "draining");
}

void LiveSocket::refuse(std::string_view id, const Error& error) {
    std::string said = "{\"id\":" + std::string(id) + ",\"ok\":false,\"problem\":";
    append_problem(said, error, "/v1/live", tools_.make_request_id());
    while (said.ends_with('\n')) said.pop_back();
    say(said + '}');
}

void LiveSocket::acknowledge(std::string_view id, std::string_view members) {
    say("{\"id\":" + std::string(id) + ",\"ok\":true" + std::string(members) + '}');
}

void LiveSocket::forget(const SocketWatch& watch) {
    std::erase_if(watches_, [&](const auto& pair) { return pair.second.get() == &watch; });
}

void LiveSocket::give_up(Watches::iterator watch) {
    const std::shared_ptr<SocketWatch> held = std::move(watch->second);
    watches_.erase(watch);
    tools_.live->unwatch(*held);
    if (held->is_answered) return;
    refuse(held->id(),
           {ErrorCode::kInvalid, "It was asked for anew, or given up, before it began."});
}

void LiveSocket::forget_watches() {
    for (const auto& [name, watch] : std::exchange(watches_, {})) tools_.live->unwatch(*watch);
}

// --- what a client sends --------------------------------------------------------------------

bool LiveSocket::may_speak() {
    const base::Monotonic now = tools_.service.engine.clock().monotonic();
    const std::chrono::duration<double> passed = now - spoke_at_;
    allowance_ = std::min(kMostMessages, allowance_ + passed.count() * kMessagesPerSecond);
    spoke_at_ = now;
    ++messages_;
    return --allowance_ >= 0;
}

void LiveSocket::on_message(std::string_view text) {
    if (!may_speak()) return close(Closing::kRate, "too many messages");
    const auto parsed = tools_.json.parse(text);
    if (!parsed) return refuse("null", parsed.error());
    LiveMessage message = read_live_message(tools_.json, **parsed);
    Result<void> done;
    if (!message.what) {
        done = message.what.error();
    } else if (const auto* auth = std::get_if<AuthMessage>(&*message.what)) {
        done = authenticate(message.id, *auth);
    } else if (auto* watched = std::get_if<WatchMessage>(&*message.what)) {
        done = watch(message.id, *watched);
    } else if (const auto* unwatched = std::get_if<UnwatchMessage>(&*message.what)) {
        done = unwatch(message.id, *unwatched);
    } else {
        done = submit_live(tools_, std::get<SubmitMessage>(*message.what), caller_, message.id,
                           weak_from_this());
    }
    if (!done) refuse(message.id, done.error());
}

Result<void> LiveSocket::authenticate(const std::string& id, const AuthMessage& auth) {
    if (messages_ > 1) {
        return Error{ErrorCode::kInvalid, "A credential comes in the first message.", "/op"};
    }
    const auto caller = tools_.service.credentials.identify("Bearer " + std::string(auth.token));
    if (!caller) {
        refuse(id, caller.error());
        close(Closing::kCredential, "unknown key");
        return {};
    }
    caller_ = *caller;
    acknowledge(id, {});
    return {};
}

Result<void> LiveSocket::watch(const std::string& id, WatchMessage& message) {
    const bool may_read_private = caller_.may(access::Scope::kReadPrivate);
    if (!message.view.board.empty()) {  // else it is the feed of all
        const auto board = visible_board(tools_.service, message.view.board, may_read_private);
        if (!board) {
            refuse(id, board.error());
            close(Closing::kNoBoard, "no such board");
            return {};
        }
    }
    const std::string name = live::name_of(message.view);
    const auto same = watches_.find(name);
    if (same == watches_.end() && watches_.size() >= tools_.service.limits.max_watches) {
        close(Closing::kTooManyWatches, "too many watches");
        return {};
    }
    // Asked again: it begins anew.
    if (same != watches_.end()) {
        give_up(same);
    }
    std::optional<base::Sequence> since;
    if (message.since) {
        const bool knows_epoch = message.since->epoch == tools_.service.engine.epoch();
        since = knows_epoch ? message.since->seq : base::Sequence{};
    }
    const auto made = std::make_shared<SocketWatch>(weak_from_this(), id);
    watches_.emplace(name, made);
    tools_.live->watch(made, {.loop = 0,
                              .watcher = {},
                              .view = std::move(message.view),
                              .rate = message.rate,
                              .since = since,
                              .may_read_private = may_read_private});
    return {};
}

Result<void> LiveSocket::unwatch(const std::string& id, const UnwatchMessage& message) {
    const auto found = watches_.find(message.view);
    if (found == watches_.end()) {
        return Error{ErrorCode::kInvalid, "`view` is the name of a view that is watched here.",
                     "/view"};
    }
    give_up(found);
    acknowledge(id, {});
    return {};
}

void LiveSocket::on_receipt(const std::string& id, std::string_view receipt, bool replayed) {
    acknowledge(id, (replayed ? ",\"replayed\":true,\"receipt\":" : ",\"receipt\":") +
                        std::string(receipt));
}

// Whether the list names our protocol.
bool offers_protocol(std::string_view list) {
    while (!list.empty()) {
        std::string_view one = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), one.size() + 1));
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        if (one == kProtocol) return true;
    }
    return false;
}

// A page of another site, whose visitor has not asked for this.
bool is_foreign(const net::Request& request) {
    if (request.origin.empty()) return false;
    const std::size_t scheme = request.origin.find("://");
    return scheme == std::string_view::npos || request.origin.substr(scheme + 3) != request.host;
}

}  // namespace

void open_live_socket(Call& call) {
    LoopTools& tools = call.tools();
    // It may see what anybody sees; for more it has to name a key of its own, also where the server
    // lets people who come by themselves do more.
    if (is_foreign(call.request) && call.request.authorization.empty()) call.caller = {};
    if (call.service().draining) {
        return call.reply.problem({ErrorCode::kDraining, "The server is shutting down."});
    }
    if (const auto known = call.check_parameters({}); !known) {
        return call.reply.problem(known.error());
    }
    const Limits& limits = call.service().limits;
    const auto socket = std::make_shared<LiveSocket>(tools, call.caller);
    const auto accepted = net::accept_websocket(
        call.request, call.reply.exchange(), tools.loop,
        {.protocol =
             offers_protocol(call.request.websocket_protocol) ? kProtocol : std::string_view(),
         .headers = "X-Request-Id: " + call.reply.request_id() + "\r\n",
         .max_message_bytes = limits.max_message_bytes,
         .max_fragments = limits.max_fragments,
         .max_kernel_unsent = kMostUnsent,
         .ping_after = limits.ping_after},
        socket);
    if (!accepted) {
        return call.reply.problem(accepted.error(),
                                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    }
    socket->start(*accepted);
}

}  // namespace standings::api
