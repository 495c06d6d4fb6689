// Output: answers in the order of requests, their way to the socket, time-outs and the end.
#include <algorithm>

#include "base/check.h"
#include "net/connection.h"
#include "net/event_loop.h"

namespace standings::net {
namespace {

// How long, and for how many bytes, a connection that has said its last is read out.
constexpr Tick kLingerMs = 2000;
constexpr Tick kDrainLingerMs = 500;
constexpr std::size_t kLingerBytes = 4 * 1024 * 1024;

}  // namespace

Exchange::Exchange(Exchange&& other) noexcept {
    *this = std::move(other);
}

Exchange& Exchange::operator=(Exchange&& other) noexcept {
    if (this == &other) return *this;
    if (connection_ != nullptr) drop();
    connection_ = std::exchange(other.connection_, nullptr);
    sequence_ = other.sequence_;
    to_head_ = other.to_head_;
    http_1_0_ = other.http_1_0_;
    keep_alive_ = other.keep_alive_;
    begun_ = other.begun_;
    no_body_ = other.no_body_;
    raw_ = other.raw_;
    return *this;
}

Connection* Exchange::owing() const {
    return connection_ != nullptr && connection_->owes(sequence_) ? connection_ : nullptr;
}

void Exchange::drop() {
    Connection* const connection = std::exchange(connection_, nullptr);
    if (connection->owes(sequence_)) connection->abandon(sequence_, http_1_0_ && begun_);
    connection->let_go();
}

void Exchange::send(const Response& response) {
    if (Connection* const connection = owing()) {
        CHECK(!begun_);
        connection->answer(*this, response);
    }
    if (connection_ != nullptr) drop();
}

void Exchange::begin(const Response& response) {
    CHECK(!begun_);
    begun_ = true;
    if (Connection* const connection = owing()) connection->begin_answer(*this, response);
}

void Exchange::write(std::string_view piece) {
    CHECK(begun_ || connection_ == nullptr);
    if (Connection* const connection = owing()) connection->write_piece(*this, piece);
}

void Exchange::end() {
    CHECK(begun_ || connection_ == nullptr);
    if (Connection* const connection = owing()) connection->end_answer(*this);
    if (connection_ != nullptr) drop();
}

void Exchange::upgrade(std::string_view headers, std::unique_ptr<BodySink> sink) {
    CHECK(!begun_);
    begun_ = raw_ = true;
    if (Connection* const connection = owing()) {
        connection->upgrade(*this, headers, std::move(sink));
    }
}

void Exchange::abort() {
    if (Connection* const connection = owing()) {
        if (connection->flush()) connection->abort_answer(sequence_, http_1_0_ && begun_);
    }
    if (connection_ != nullptr) drop();
}

std::size_t Exchange::unsent_bytes() const {
    const Connection* const connection = owing();
    return connection != nullptr ? connection->unsent_to(sequence_) : 0;
}

void Exchange::when_unsent_at_most(std::size_t bytes, std::function<void()> task) {
    if (connection_ != nullptr) connection_->wait_for_drain(sequence_, bytes, std::move(task));
}

void Exchange::allow_slow_reading(std::chrono::milliseconds patience, std::size_t least_bytes) {
    Connection* const connection = owing();
    if (connection == nullptr) return;
    connection->write_patience_ = patience.count();
    connection->write_least_ = least_bytes;
}

void Exchange::bound_unsent(std::size_t bytes) {
    if (Connection* const connection = owing()) connection->stream_->bound_unsent(bytes);
}

void Exchange::resume_body() {
    Connection* const connection = owing();
    if (connection == nullptr || !connection->paused_) return;
    connection->paused_ = false;
    connection->output_changed();
}

bool Exchange::open() const {
    return owing() != nullptr;
}

Exchange Connection::make_exchange(const RequestParser& from) {
    Exchange exchange;
    exchange.connection_ = this;
    hold();
    exchange.sequence_ = next_sequence_++;
    exchange.to_head_ = from.is_head();
    exchange.http_1_0_ = from.http_1_0();
    exchange.keep_alive_ = from.keep_alive();
    return exchange;
}

bool Connection::must_close_after(const Exchange& exchange) const {
    if (!exchange.keep_alive_) return true;
    if (stream_open_ && exchange.sequence_ == stream_sequence_ && !body_arrived_) return true;
    const bool is_last = exchange.sequence_ + 1 == next_sequence_ && body_mode_ == BodyMode::kNone;
    return is_last && (input_ended_ || loop_.draining());
}

Buffer& Connection::output_for(std::uint32_t sequence) {
    const std::size_t place = sequence - first_owed_;
    if (place == 0) return output();
    if (early_.size() <= place) early_.resize(place + 1);
    return early_[place].bytes;
}

Buffer& Connection::output() {
    if (out_.capacity() == 0) out_ = loop_.lend_buffer();
    if (out_.empty()) note_owing();
    return out_;
}

// From now on the client is owed something again.
void Connection::note_owing() {
    write_mark_ += loop_.now() - emptied_at_;
    emptied_at_ = loop_.now();
}

void Connection::count_answer(int status) {
    const auto answer_class = static_cast<std::size_t>(std::clamp(status / 100, 0, 5));
    LoopCounters::add(loop_.counters().responses[answer_class]);
}

void Connection::answer(const Exchange& exchange, const Response& response) {
    const bool close = response.close || must_close_after(exchange);
    write_answer(output_for(exchange.sequence_), response,
                 {.to_head = exchange.to_head_, .http_1_0 = exchange.http_1_0_, .close = close},
                 loop_.date());
    count_answer(response.status);
    complete(exchange.sequence_, close);
}

void Connection::begin_answer(Exchange& exchange, const Response& response) {
    if (exchange.http_1_0_ || response.close) exchange.keep_alive_ = false;
    exchange.no_body_ = exchange.to_head_ || has_no_body(response.status);
    auto& out = output_for(exchange.sequence_);
    if (stream_open_ && exchange.sequence_ == stream_sequence_) {
        stream_begun_ = true;
        // Now or never: after this head it would be read as part of the answer.
        if (continue_due_) out.append(kContinue);
        continue_due_ = false;
    }
    // Whether the body will have come by the end is not known yet, so it does not count here.
    write_streamed_head(out, response,
                        {.to_head = exchange.to_head_,
                         .http_1_0 = exchange.http_1_0_,
                         .close = !exchange.keep_alive_},
                        loop_.date());
    count_answer(response.status);
    write_piece(exchange, response.body);
}

void Connection::upgrade(const Exchange& exchange, std::string_view headers,
                         std::unique_ptr<BodySink> sink) {
    CHECK(exchange.sequence_ + 1 == next_sequence_ && body_mode_ == BodyMode::kNone);
    auto& out = output_for(exchange.sequence_);
    out.append("HTTP/1.1 101 Switching Protocols\r\n");
    out.append(headers);
    out.append("\r\n");
    count_answer(101);
    sink_ = std::move(sink);
    stream_open_ = stream_begun_ = true;
    stream_sequence_ = exchange.sequence_;
    body_mode_ = BodyMode::kRaw;
    body_arrived_ = false;
    output_changed();
}

// A frame that goes to many is sent from the bytes they share, and needs no second look at each of
// their connections. Only the first of an entry to the loop: more go out together.
void Connection::write_at_once(std::string_view& piece) {
    if (!out_.empty() || in_turn_ || wrote_in_ == loop_.entry()) return;
    wrote_in_ = loop_.entry();
    note_owing();
    const auto result = stream_->write(piece);
    if (result.status != IoResult::Status::kOk) return;  // flush() meets it again
    note_read(result.bytes);
    LoopCounters::add(loop_.counters().bytes_out, result.bytes);
    piece.remove_prefix(result.bytes);
}

void Connection::write_piece(const Exchange& exchange, std::string_view piece) {
    if (exchange.raw_ && exchange.sequence_ == first_owed_) {
        write_at_once(piece);
        if (piece.empty()) return;
    }
    if (!exchange.no_body_) {
        auto& out = output_for(exchange.sequence_);
        if (exchange.http_1_0_ || exchange.raw_) {
            out.append(piece);
        } else {
            write_chunk(out, piece);
        }
    }
    output_changed();
}

void Connection::end_answer(const Exchange& exchange) {
    if (!exchange.no_body_ && !exchange.http_1_0_ && !exchange.raw_) {
        output_for(exchange.sequence_).append(kLastChunk);
    }
    complete(exchange.sequence_, must_close_after(exchange));
}

// The bytes of this answer are all written; those behind it that were early may follow.
void Connection::complete(std::uint32_t sequence, bool close) {
    if (stream_open_ && sequence == stream_sequence_) close_stream();
    if (close) end_input();

    if (sequence != first_owed_) {
        output_for(sequence);
        auto& early = early_[sequence - first_owed_];
        early.complete = true;
        early.close = close;
        return;
    }

    ++first_owed_;
    if (close) return forget_answers();
    while (!early_.empty()) {
        early_.erase(early_.begin());
        if (early_.empty()) break;
        auto& early = early_.front();
        output().append(early.bytes.view());
        early.bytes = Buffer();
        if (!early.complete) break;
        ++first_owed_;
        if (early.close) return forget_answers();
    }
    send_continue_if_due();
    output_changed();
}

// The connection ends with what is in out_: answers still owed will not be given.
void Connection::forget_answers() {
    end_input();
    first_owed_ = next_sequence_;
    early_.clear();
    if (stream_open_) {
        if (sink_ && !body_arrived_) sink_->on_abort();
        close_stream();
    }
    output_changed();
}

// The end without an answer. The peer must not take a shortened body for a whole one; where only
// the end of the connection marks the end of the body, that takes a reset.
void Connection::abandon(std::uint32_t sequence, bool reset) {
    if (reset) {
        stream_->discard_unsent();
        return close_now();
    }
    complete(sequence, true);
}

// The same without delay. A sink whose own exchange this is knows, and is not told.
void Connection::abort_answer(std::uint32_t sequence, bool reset) {
    if (stream_open_ && sequence == stream_sequence_) close_stream();
    if (reset) stream_->discard_unsent();
    close_now();
}

void Connection::close_stream() {
    stream_open_ = stream_begun_ = false;
    continue_due_ = paused_ = false;
    stream_held_.release();
    if (sink_) loop_.destroy_later(std::move(sink_));
}

void Connection::send_continue_if_due() {
    if (!continue_due_) return;
    const bool being_admitted = stream_open_ && !sink_;
    if (being_admitted) return;
    if (stream_open_ ? first_owed_ != stream_sequence_ : owed() != 0) return;
    continue_due_ = false;
    output().append(kContinue);
    output_changed();
}

void Connection::output_changed() {
    if (!in_turn_ && !closed_) loop_.mark_dirty(*this);
}

std::size_t Connection::unsent() const {
    std::size_t bytes = out_.size();
    for (const auto& early : early_) bytes += early.bytes.size();
    return bytes;
}

// What is between the client and the end of what this answer has so far.
std::size_t Connection::unsent_to(std::uint32_t sequence) const {
    std::size_t bytes = out_.size();
    const std::size_t behind = std::size_t{sequence - first_owed_} + 1;
    for (std::size_t i = 0; i < std::min(behind, early_.size()); ++i) {
        bytes += early_[i].bytes.size();
    }
    return bytes;
}

void Connection::wait_for_drain(std::uint32_t sequence, std::size_t most,
                                std::function<void()> task) {
    const auto same = std::find_if(drain_waits_.begin(), drain_waits_.end(),
                                   [=](const auto& wait) { return wait.sequence == sequence; });
    if (same == drain_waits_.end()) {
        drain_waits_.push_back({sequence, most, std::move(task)});
    } else {
        same->most = most;
        same->task.swap(task);
    }
    if (closed_) return run_drain_waits();
    // Looked at when this entry to the loop ends.
    loop_.mark_dirty(*this);
}

// Not on this stack: a task may write, end its answer, or let the connection go.
void Connection::run_drain_waits() {
    for (auto wait = drain_waits_.begin(); wait != drain_waits_.end();) {
        const bool goes_on =
            wait->most == Exchange::kGoneOnly || unsent_to(wait->sequence) > wait->most;
        if (owes(wait->sequence) && goes_on) {
            ++wait;
            continue;
        }
        loop_.post(std::move(wait->task));
        wait = drain_waits_.erase(wait);
    }
}

void Connection::note_read(std::size_t bytes) {
    write_taken_ += bytes;
    if (write_taken_ >= write_least_) {
        write_taken_ = 0;
        write_mark_ = loop_.now();
    }
    if (out_.empty()) emptied_at_ = loop_.now();
}

void Connection::use_usual_patience() {
    write_patience_ = 0;
    write_least_ = 1;
    write_taken_ = 0;
    write_mark_ = emptied_at_;
}

Tick Connection::write_timeout() const {
    return write_patience_ > 0 ? write_patience_ : loop_.limits().write_timeout.count();
}

// Writes until all is out or the socket is full. False when the connection has ended by it.
bool Connection::flush() {
    if (closed_) return false;
    while (!out_.empty() && !blocked_) {
        const auto result = stream_->write(out_.view());
        switch (result.status) {
            case IoResult::Status::kOk:
                out_.consume(result.bytes);
                note_read(result.bytes);
                LoopCounters::add(loop_.counters().bytes_out, result.bytes);
                break;
            case IoResult::Status::kWouldBlock:
                blocked_ = true;
                break;
            case IoResult::Status::kEnd:
            case IoResult::Status::kFailed:
                close_now();
                return false;
        }
    }
    if (out_.empty() && out_.capacity() > 0) loop_.give_back(std::move(out_));
    run_drain_waits();
    return true;
}

void Connection::flush_and_settle() {
    if (!flush()) return;
    settle();
}

// After every change: is it the end, is there more to do, until when do we wait?
void Connection::settle() {
    if (closed_ || lingering_) return;
    const bool all_said = owed() == 0 && out_.empty();
    if (all_said) use_usual_patience();
    if (all_said && input_ended_) return finish();

    const bool between = body_mode_ == BodyMode::kNone || body_mode_ == BodyMode::kRaw;
    if (intake_ && between && intake_->input.empty()) intake_.reset();
    if (has_work()) {
        loop_.mark_ready(*this);
    } else if (all_said && loop_.draining() && !intake_) {
        return finish();
    }
    update_deadline();
}

void Connection::finish() {
    intake_.reset();
    // Nobody waits for us, and nothing unread would make the kernel send a reset.
    if (ended_ || (peer_closes_ && !readable_)) return close_now();
    lingering_ = true;
    linger_until_ = loop_.now() + (loop_.draining() ? kDrainLingerMs : kLingerMs);
    linger_budget_ = kLingerBytes;
    stream_->shutdown_write();
    loop_.set_deadline(*this, linger_until_);
    if (readable_) loop_.mark_ready(*this);
}

void Connection::update_deadline() {
    auto wait = Wait::kNothing;
    if (input_ended_ || body_mode_ == BodyMode::kRaw) {
        // Only output is left, or the protocol has rules of its own.
    } else if (body_mode_ != BodyMode::kNone) {
        if (may_parse()) wait = Wait::kBody;
    } else if (intake_) {
        if (intake_->needs_bytes) wait = Wait::kHead;
    } else if (owed() == 0 && out_.empty()) {
        wait = Wait::kIdle;
    }
    if (wait != wait_ || progressed_ || wait == Wait::kIdle) read_mark_ = loop_.now();
    wait_ = wait;
    progressed_ = false;
    loop_.set_deadline(*this, deadline());
}

Tick Connection::deadline() const {
    if (lingering_) return linger_until_;
    const auto& limits = loop_.limits();
    Tick deadline = kNoDeadline;
    if (!out_.empty()) deadline = write_mark_ + write_timeout();
    switch (wait_) {
        case Wait::kNothing:
            return deadline;
        case Wait::kIdle:
            return std::min(deadline, read_mark_ + limits.idle_timeout.count());
        case Wait::kHead:
            return std::min(deadline, read_mark_ + limits.head_timeout.count());
        case Wait::kBody:
            return std::min(deadline, read_mark_ + limits.body_timeout.count());
    }
    return deadline;
}

void Connection::on_timeout() {
    if (closed_) return;
    if (lingering_) return close_now();
    LoopCounters::add(loop_.counters().timeouts);
    if (!out_.empty() && loop_.now() >= write_mark_ + write_timeout()) {
        stream_->discard_unsent();
        return close_now();
    }
    switch (wait_) {
        case Wait::kNothing:
            break;
        case Wait::kIdle:
            return close_now();
        case Wait::kHead:
            return refuse({408, "The head of the request took too long."});
        case Wait::kBody:
            return refuse({408, "The body of the request took too long."});
    }
    update_deadline();
}

void Connection::close_now() {
    if (closed_) return;
    closed_ = true;
    if (sink_) {
        if (stream_open_ && !body_arrived_) sink_->on_abort();
        loop_.destroy_later(std::move(sink_));
    }
    stream_held_.release();
    early_.clear();
    run_drain_waits();
    if (out_.capacity() > 0) loop_.give_back(std::move(out_));
    if (!in_turn_) intake_.reset();
    stream_.reset();
    loop_.connection_closed(*this);
}

}  // namespace standings::net
