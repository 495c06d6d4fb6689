// Input: bytes to requests, and when to read.
#include "net/connection.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "net/event_loop.h"

namespace standings::net {
namespace {

// A connection that always has more to say lets the others speak after this many requests.
constexpr unsigned kRequestsPerTurn = 256;
// A body's first memory; it grows with what really comes.
constexpr std::size_t kFirstBodyBytes = InputMemory::kSmallBytes;
// Of a stream: the piece that its sink could not use yet, and what was read behind it.
constexpr std::size_t kStreamInputBytes = 2 * EventLoop::kReceiveBytes;

}  // namespace

Connection::Connection(EventLoop& loop, std::unique_ptr<ByteStream> stream, Peer peer)
    : loop_(loop),
      stream_(std::move(stream)),
      stream_held_(loop.input_memory()),
      peer_(std::move(peer)) {}

Connection::~Connection() {
    CHECK(closed_);
}

void Connection::on_events(std::uint32_t events) {
    if (closed_) return;
    if (events & (EPOLLERR | EPOLLHUP)) return close_now();
    if (events & EPOLLRDHUP) hung_up_ = true;
    if (events & (EPOLLIN | EPOLLRDHUP)) readable_ = true;
    if (events & EPOLLOUT) blocked_ = false;

    if (readable_ && (lingering_ || (!input_ended_ && may_parse()))) {
        turn();
        loop_.mark_dirty(*this);
    } else if (!out_.empty()) {
        flush_and_settle();
    }
}

void Connection::turn() {
    if (closed_) return;
    if (lingering_) return discard_input();

    in_turn_ = true;
    char* const buffer = loop_.receive_buffer();
    std::size_t size = 0;
    if (intake_ && !intake_->input.empty()) {
        size = intake_->input.size();
        std::memcpy(buffer, intake_->input.data(), size);
        intake_->input.clear();
        intake_->needs_bytes = false;
    }
    if (readable_ && !input_ended_ && !ended_ && size < EventLoop::kReceiveBytes && may_parse()) {
        size += receive(buffer + size, EventLoop::kReceiveBytes - size);
    }
    if (!closed_) keep(consume({buffer, size}));
    const bool stalled = intake_ && !intake_->input.empty() && !intake_->needs_bytes;
    if (!closed_ && ended_ && !input_ended_ && !stalled) input_broke_off();
    in_turn_ = false;

    if (closed_) intake_.reset();
}

std::size_t Connection::receive(char* out, std::size_t room) {
    const auto result = stream_->read({out, room});
    switch (result.status) {
        case IoResult::Status::kOk:
            // Behind the last bytes of a peer that hung up there is still its end to be read.
            if (result.drained && !hung_up_) readable_ = false;
            LoopCounters::add(loop_.counters().bytes_in, result.bytes);
            return result.bytes;
        case IoResult::Status::kWouldBlock:
            readable_ = false;
            return 0;
        case IoResult::Status::kEnd:
            readable_ = false;
            ended_ = true;
            return 0;
        case IoResult::Status::kFailed:
            close_now();
            return 0;
    }
    return 0;
}

RequestParser& Connection::parser() {
    return intake_ ? intake_->parser : loop_.parser();
}

Connection::Intake& Connection::intake() {
    if (!intake_) {
        intake_ = std::make_unique<Intake>(loop_.parser(), loop_.input_memory());
        loop_.parser().begin();
    }
    return *intake_;
}

// Parses `input` until it is used up or has to wait; returns what is left of it.
std::string_view Connection::consume(std::string_view input) {
    unsigned budget = kRequestsPerTurn;
    parse_again_ = false;
    while (!closed_ && !input_ended_ && may_parse()) {
        if (body_mode_ == BodyMode::kRaw) {
            if (input.empty()) return input;
            take_raw(std::exchange(input, {}));
            continue;
        }
        RequestParser& now = parser();
        if (!now.in_body() && (input.empty() || budget-- == 0)) return input;

        const auto event = now.parse(input);
        if (event == RequestParser::Event::kHead) {
            take_head(now, input);
            continue;
        }
        input.remove_prefix(now.consumed());
        switch (event) {
            case RequestParser::Event::kNeedMore:
                if (!input.empty()) intake().needs_bytes = true;
                return input;
            case RequestParser::Event::kPiece:
                take_piece(now);
                break;
            case RequestParser::Event::kEnd:
                take_end(now);
                break;
            case RequestParser::Event::kHead:
            case RequestParser::Event::kProblem:
                refuse(now.problem());
                break;
        }
    }
    if (closed_ || input_ended_) return {};
    // The end of a body takes no byte more: it must not wait for one.
    parse_again_ = parser().in_body();
    return input;
}

void Connection::take_head(RequestParser& now, std::string_view& input) {
    const auto head = input.substr(0, now.consumed());
    input.remove_prefix(head.size());
    now.request().peer = peer_.text;
    progressed_ = true;
    if (!now.has_body()) return dispatch(now);

    const auto plan = loop_.handler().plan_body(now.request());
    if (plan.kind == BodyPlan::Kind::kStream) {
        continue_due_ = now.expects_continue() && input.empty();
        return take_stream(plan.max_bytes);
    }
    max_body_bytes_ = plan.max_bytes;
    if (now.content_length() > max_body_bytes_) return refuse_large_body();
    if (!now.chunked() && input.size() >= now.content_length()) {
        // All of it is here already: no copy.
        const auto length = static_cast<std::size_t>(now.content_length());
        now.request().body = input.substr(0, length);
        input.remove_prefix(length);
        return dispatch(now);
    }

    auto& kept = intake();
    kept.head = head;
    kept.parser.head_moved(head.data(), kept.head.data());
    const auto length = static_cast<std::size_t>(kept.parser.content_length());
    if (!make_room_in_body(std::min(length, kFirstBodyBytes))) return refuse_for_memory();
    body_mode_ = BodyMode::kWhole;
    continue_due_ = kept.parser.expects_continue() && input.empty();
    send_continue_if_due();
}

// Room for all that a stream may keep is taken at its start: nobody is refused in the middle, where
// lines count already.
void Connection::take_stream(std::size_t sink_bytes) {
    if (!stream_held_.grow_to(kStreamInputBytes + sink_bytes)) return refuse_for_memory();
    auto& kept = intake();
    body_mode_ = BodyMode::kStream;
    body_arrived_ = false;
    stream_open_ = true;
    stream_begun_ = false;
    stream_sequence_ = next_sequence_;
    LoopCounters::add(loop_.counters().requests);
    auto sink = loop_.handler().handle_stream(kept.parser.request(), make_exchange(kept.parser));
    if (closed_ || !stream_open_) {
        if (sink) loop_.destroy_later(std::move(sink));
        return;
    }
    sink_ = std::move(sink);
    send_continue_if_due();
}

void Connection::take_piece(RequestParser& now) {
    // A whole body has one time limit in all: what it holds in memory costs the sender bytes, not
    // patience.
    if (body_mode_ == BodyMode::kStream) progressed_ = true;
    continue_due_ = false;  // the client did not wait for it
    const auto piece = now.piece();
    if (body_mode_ == BodyMode::kWhole) {
        auto& body = intake_->body;
        if (piece.size() > max_body_bytes_ - body.size()) return refuse_large_body();
        if (!make_room_in_body(piece.size())) return refuse_for_memory();
        body.append(piece);
    } else if (sink_ && !sink_->on_body(piece)) {
        paused_ = stream_open_;
    }
}

void Connection::take_raw(std::string_view piece) {
    if (sink_ && !sink_->on_body(piece)) paused_ = stream_open_;
}

void Connection::take_end(RequestParser& now) {
    const auto mode = body_mode_;
    body_mode_ = BodyMode::kNone;
    continue_due_ = false;
    if (mode == BodyMode::kWhole) {
        now.request().body = intake_->body;
        dispatch(now);
        intake_->forget_body();
        return;
    }
    if (!now.keep_alive()) {
        peer_closes_ = true;
        end_input();
    }
    now.begin();
    body_arrived_ = true;
    if (sink_) sink_->on_end();
}

// A request that is complete: one call of the handler.
void Connection::dispatch(RequestParser& now) {
    if (!now.keep_alive()) {
        peer_closes_ = true;
        end_input();
    }
    LoopCounters::add(loop_.counters().requests);
    loop_.handler().handle(now.request(), make_exchange(now));
    now.begin();
}

// Input that could not be parsed yet stays with the connection.
void Connection::keep(std::string_view rest) {
    if (rest.empty() || closed_) return;
    auto& kept = intake();
    kept.input.assign(rest);
    // A stream has room for it already.
    if (body_mode_ == BodyMode::kStream) return;
    if (!kept.input_held.grow_to(kept.input.capacity())) refuse_for_memory();
}

// The memory of a body doubles, so that a byte is moved twice at most.
bool Connection::make_room_in_body(std::size_t more) {
    auto& kept = *intake_;
    const std::size_t needed = kept.body.size() + more;
    if (needed <= kept.body.capacity()) return true;
    const std::size_t capacity = std::max(needed, 2 * kept.body.capacity());
    if (!kept.body_held.grow_to(kept.head.size() + capacity)) return false;
    kept.body.reserve(capacity);
    return true;
}

void Connection::Intake::forget_body() {
    head = std::string();
    body = std::string();
    body_held.release();
}

void Connection::Intake::forget() {
    forget_body();
    input = std::string();
    input_held.release();
    needs_bytes = false;
}

// Answers are owed in bounded number and size, and one streamed body at a time.
bool Connection::may_parse() const {
    if (paused_ || (stream_open_ && body_arrived_)) return false;
    if (body_mode_ == BodyMode::kNone && owed() >= loop_.limits().max_pipelined) return false;
    return unsent() <= loop_.limits().max_unsent_bytes;
}

bool Connection::has_work() const {
    if (input_ended_ || !may_parse()) return false;
    if (parse_again_) return true;
    if (readable_ && !ended_) return true;
    return intake_ && !intake_->input.empty() && !intake_->needs_bytes;
}

// The peer's end came, and everything before it is parsed. What is owed is still answered.
void Connection::input_broke_off() {
    end_input();
    const bool in_stream = body_mode_ == BodyMode::kStream || body_mode_ == BodyMode::kRaw;
    body_mode_ = BodyMode::kNone;
    if (in_stream && flush()) close_now();
}

void Connection::refuse_large_body() {
    refuse({413, "The request body is larger than this resource takes."});
}

void Connection::refuse_for_memory() {
    refuse({503, "The server has no memory left for requests that are still arriving."});
}

// Nothing after this can be understood, or is wanted: the last answer of this connection.
void Connection::refuse(TransportProblem problem) {
    end_input();
    continue_due_ = false;
    paused_ = false;
    body_mode_ = BodyMode::kNone;
    if (stream_open_ && !body_arrived_ && sink_) {
        auto sink = std::move(sink_);
        sink->on_abort();
        loop_.destroy_later(std::move(sink));
        if (closed_) return;
        if (!stream_open_) return;  // it gave an answer of its own
    }

    const bool in_stream = stream_open_ && !body_arrived_;
    if (in_stream && stream_begun_) return abandon(stream_sequence_, parser().http_1_0());

    std::string headers;
    std::string body;
    loop_.handler().describe(problem, headers, body);
    if ((problem.status == 503 || problem.status == 429) &&
        headers.find("Retry-After:") == std::string::npos) {
        headers += "Retry-After: 1\r\n";
    }
    Exchange exchange = make_exchange(parser());
    parser().begin();  // the shared one must not keep what it stumbled over
    // What it held is somebody else's now, however long the client takes to read the answer.
    if (intake_) intake_->forget();
    if (in_stream) {
        // In the place of the handler's answer, whose exchange becomes stale by it.
        --next_sequence_;
        exchange.sequence_ = stream_sequence_;
    }
    exchange.send({.status = problem.status,
                   .content_type = "application/problem+json",
                   .headers = headers,
                   .body = body,
                   .close = true});
}

void Connection::refuse_at_once(const TransportProblem& problem) {
    refuse(problem);
    flush_and_settle();
}

void Connection::begin_drain() {
    // A request that has arrived by now is still answered.
    readable_ = true;
    if (!lingering_ && !input_ended_ && may_parse()) turn();
    flush_and_settle();
}

// Reads and forgets, so that the kernel does not answer the peer's unread bytes with a reset that
// would overtake our last answer.
void Connection::discard_input() {
    constexpr int kReadsPerTurn = 8;
    for (int i = 0; i < kReadsPerTurn; ++i) {
        const auto result = stream_->read({loop_.receive_buffer(), EventLoop::kReceiveBytes});
        if (result.status == IoResult::Status::kWouldBlock) {
            readable_ = false;
            return;
        }
        if (result.status != IoResult::Status::kOk || result.bytes >= linger_budget_) {
            return close_now();
        }
        linger_budget_ -= result.bytes;
    }
    loop_.mark_ready(*this);
}

}  // namespace standings::net
