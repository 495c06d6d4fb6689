#include "net/event_loop.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/check.h"

namespace standings::net {
namespace {

namespace asio = boost::asio;
using Milliseconds = std::chrono::milliseconds;

// Rounds of the poller before Asio's own work (posts, timers) gets its turn.
constexpr int kRounds = 4;
// Fewer events than this in a round: the loop is not busy, and asking again would find nothing.
constexpr int kBusyRound = 8;
constexpr std::size_t kMaxSpareBuffers = 64;
constexpr std::size_t kMaxSpareBufferBytes = 64 * 1024;

Tick steady_ms() {
    return std::chrono::duration_cast<Milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// A slot of the wheel: fine enough that no limit is overrun by more than a quarter.
Tick wheel_step(const Limits& limits) {
    const auto shortest = std::min(
        {limits.head_timeout, limits.idle_timeout, limits.body_timeout, limits.write_timeout});
    return std::clamp<Tick>(shortest.count() / 4, 2, 100);
}

}  // namespace

void LoopCounters::add_to(Counters& sum) const {
    const auto get = [](const Cell& cell) { return cell.load(std::memory_order_relaxed); };
    sum.connections_accepted += get(accepted);
    sum.connections_open += get(open);
    sum.connections_refused += get(refused);
    sum.requests += get(requests);
    sum.bytes_in += get(bytes_in);
    sum.bytes_out += get(bytes_out);
    sum.timeouts += get(timeouts);
    for (std::size_t i = 0; i < std::size(responses); ++i) {
        sum.responses_by_class[i] += get(responses[i]);
    }
}

base::Result<std::unique_ptr<EventLoop>> EventLoop::make(std::size_t index, const Limits& limits,
                                                         SharedLimits shared, int listener) {
    auto poller = Poller::open();
    if (!poller) {
        ::close(listener);
        return poller.error();
    }
    const int set = (*poller)->descriptor();
    std::unique_ptr<EventLoop> loop(
        new EventLoop(index, limits, shared, listener, std::move(*poller)));

    boost::system::error_code error;
    loop->events_.assign(set, error);
    if (error || !loop->poller_->add(listener, *loop)) {
        return base::Error{base::ErrorCode::kIo, "event loop: the kernel refuses to watch sockets"};
    }
    return loop;
}

EventLoop::EventLoop(std::size_t index, const Limits& limits, SharedLimits shared, int listener,
                     std::unique_ptr<Poller> poller)
    : index_(index),
      limits_(limits),
      shared_(shared),
      poller_(std::move(poller)),
      listener_(listener),
      spare_file_(open_spare_file()),
      receive_(std::make_unique_for_overwrite<char[]>(kReceiveBytes)),
      parser_(limits_),
      wheel_(wheel_step(limits)),
      started_(steady_ms()) {
    parser_.begin();
}

EventLoop::~EventLoop() {
    CHECK(connections_ == nullptr);
    events_.release();  // the poller owns it
    close_listener();
    if (spare_file_ >= 0) ::close(spare_file_);
}

void EventLoop::post(std::function<void()> task) {
    asio::post(context_, [this, task = std::move(task)] {
        enter();
        task();
        leave();
    });
}

void EventLoop::after(Milliseconds delay, std::function<void()> task) {
    auto timer = std::make_shared<asio::steady_timer>(context_, delay);
    timer->async_wait([this, timer, task = std::move(task)](boost::system::error_code error) {
        if (error) return;
        enter();
        task();
        leave();
    });
}

void EventLoop::run(const HandlerFactory& make_handler) {
    enter();
    handler_ = make_handler(*this);
    leave();
    wait_for_events();
    context_.run();

    // Nobody is left to answer to.
    close_everything();
    handler_.reset();
    leave();
}

void EventLoop::request_close() {
    asio::post(context_, [this] { close_everything(); });
}

void EventLoop::request_stop() {
    asio::post(context_, [this] {
        close_listener();
        context_.stop();
    });
}

void EventLoop::enter() {
    ++entry_;
    now_ = steady_ms() - started_;
    timespec calendar{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &calendar);
    date_.update(calendar.tv_sec);
}

void EventLoop::leave() {
    if (handler_) handler_->finish_round();
    // Each of these may cause more of the others.
    while (!dirty_.empty() || !dead_.empty() || !dead_sinks_.empty()) {
        for (std::size_t i = 0; i < dirty_.size(); ++i) {
            Connection* const connection = dirty_[i];
            connection->is_marked_dirty = false;
            connection->flush_and_settle();
            connection->let_go();
        }
        dirty_.clear();
        for (Connection* const connection : std::exchange(dead_, {})) connection->let_go();
        std::exchange(dead_sinks_, {}).clear();
    }
    if (!ready_.empty() && !ready_posted_ && handler_) {
        ready_posted_ = true;
        asio::post(context_, [this] { run_ready(); });
    }
}

void EventLoop::wait_for_events() {
    events_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this](boost::system::error_code error) {
                           if (error) return;
                           dispatch_events();
                           wait_for_events();
                       });
}

void EventLoop::dispatch_events() {
    for (int round = 0; round < kRounds; ++round) {
        enter();
        const int events = poller_->dispatch();
        leave();
        if (events < kBusyRound) break;
    }
}

void EventLoop::run_ready() {
    enter();
    ready_posted_ = false;
    ready_now_.swap(ready_);
    for (Connection* const connection : ready_now_) {
        connection->is_marked_ready = false;
        connection->turn();
        connection->flush_and_settle();
        connection->let_go();
    }
    ready_now_.clear();
    leave();
}

void EventLoop::mark_ready(Connection& connection) {
    if (std::exchange(connection.is_marked_ready, true)) return;
    connection.hold();
    ready_.push_back(&connection);
}

void EventLoop::mark_dirty(Connection& connection) {
    if (std::exchange(connection.is_marked_dirty, true)) return;
    connection.hold();
    dirty_.push_back(&connection);
}

Buffer EventLoop::lend_buffer() {
    if (spare_buffers_.empty()) return Buffer();
    Buffer buffer = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
    return buffer;
}

void EventLoop::give_back(Buffer buffer) {
    if (buffer.capacity() > kMaxSpareBufferBytes || spare_buffers_.size() >= kMaxSpareBuffers)
        return;
    buffer.consume(buffer.size());
    spare_buffers_.push_back(std::move(buffer));
}

void EventLoop::set_deadline(Connection& connection, Tick deadline) {
    wheel_.set(connection, deadline, now_);
    if (deadline >= timer_at_) return;
    timer_at_ = deadline;
    arm_timer();
}

void EventLoop::arm_timer() {
    timer_.expires_at(std::chrono::steady_clock::time_point(Milliseconds(started_ + timer_at_)));
    timer_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        enter();
        timer_at_ = kNoDeadline;
        wheel_.advance(now_);
        if (const auto due = wheel_.next_due(); due && *due < timer_at_) {
            timer_at_ = *due;
            arm_timer();
        }
        leave();
    });
}

void EventLoop::add(Connection& connection) {
    connection.hold();
    connection.next = connections_;
    if (connections_ != nullptr) connections_->previous = &connection;
    connections_ = &connection;
    ++open_;
}

void EventLoop::connection_closed(Connection& connection) {
    wheel_.remove(connection);
    (connection.previous != nullptr ? connection.previous->next : connections_) = connection.next;
    if (connection.next != nullptr) connection.next->previous = connection.previous;
    connection.next = connection.previous = nullptr;
    dead_.push_back(&connection);

    --open_;
    if (connection.is_refused) {
        --refused_open_;
    } else {
        shared_.addresses.leave(connection.peer().account_key);
        LoopCounters::subtract(counters_.open);
    }
    note_drained();
}

void EventLoop::request_drain() {
    asio::post(context_, [this] {
        enter();
        drain_now();
        leave();
    });
}

void EventLoop::drain_now() {
    if (std::exchange(draining_, true)) return;
    // Whoever is in the listener's queue already sent a request perhaps: better answered than
    // reset.
    while (accept_one()) {
    }
    close_listener();

    std::vector<Connection*> all;
    for (auto* connection = connections_; connection != nullptr; connection = connection->next) {
        connection->hold();
        all.push_back(connection);
    }
    for (Connection* const connection : all) {
        connection->begin_drain();
        connection->let_go();
    }
    note_drained();
}

void EventLoop::note_drained() {
    if (draining_ && open_ == 0) drained_.store(true, std::memory_order_release);
}

void EventLoop::close_everything() {
    enter();
    while (connections_ != nullptr) connections_->close_now();
    for (Connection* const connection : std::exchange(ready_, {})) connection->let_go();
    leave();
}

}  // namespace standings::net
