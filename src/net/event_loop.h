// One thread, one io_context, one poller, one handler, and the connections it accepted.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address_limits.h"
#include "net/answer.h"
#include "net/connection.h"
#include "net/input_memory.h"
#include "net/poller.h"
#include "net/request_parser.h"
#include "net/server.h"
#include "net/timeout_wheel.h"

namespace standings::net {

// What a loop counts: written by its thread only, read by any.
class LoopCounters {
  public:
    using Cell = std::atomic<std::uint64_t>;

    static void add(Cell& cell, std::uint64_t count = 1) {
        cell.store(cell.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }
    static void subtract(Cell& cell) {
        cell.store(cell.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    }
    void add_to(Counters& sum) const;

    Cell accepted{0}, open{0}, refused{0}, requests{0}, bytes_in{0}, bytes_out{0}, timeouts{0};
    Cell responses[6] = {};
};

// What the loops of one server share.
struct SharedLimits {
    AddressLimits& addresses;
    InputMemory& input_memory;
};

// Made by the server, which joins its thread before destroying it. All is used on its own thread
// but what says otherwise.
class EventLoop final : public Loop, private PollTarget {
  public:
    // Takes over the listening socket.
    static base::Result<std::unique_ptr<EventLoop>> make(std::size_t index, const Limits& limits,
                                                         SharedLimits shared, int listener);
    ~EventLoop() override;

    // --- any thread
    void post(std::function<void()> task) override;
    std::size_t index() const override { return index_; }
    const LoopCounters& counters() const { return counters_; }
    void request_drain();
    // Connections still there once a drain has begun; none are taken up any more.
    bool is_drained() const { return drained_.load(std::memory_order_acquire); }
    // Ends all connections at once.
    void request_close();
    void request_stop();

    // --- its thread
    // Until request_stop(); destroys the handler at the end.
    void run(const HandlerFactory& make_handler);
    void after(std::chrono::milliseconds delay, std::function<void()> task) override;

    // --- for its connections
    const Limits& limits() const { return limits_; }
    InputMemory& input_memory() { return shared_.input_memory; }
    Handler& handler() { return *handler_; }
    LoopCounters& counters() { return counters_; }
    bool draining() const { return draining_; }
    boost::asio::io_context& context() { return context_; }
    Tick now() const { return now_; }
    // Which piece of work this is, from enter() to leave().
    std::uint32_t entry() const { return entry_; }
    std::string_view date() const { return date_.line(); }

    // The shared receive buffer, and the parser for requests that lie in it whole.
    static constexpr std::size_t kReceiveBytes = 64 * 1024;
    char* receive_buffer() { return receive_.get(); }
    RequestParser& parser() { return parser_; }

    void set_deadline(Connection& connection, Tick deadline);
    // Has input to go on with: gets a turn after the others.
    void mark_ready(Connection& connection);
    // Has output: is flushed before this entry to the loop ends.
    void mark_dirty(Connection& connection);
    Buffer lend_buffer();
    void give_back(Buffer buffer);
    // Destroyed when no code of its own can be on the stack.
    void destroy_later(std::unique_ptr<BodySink> sink) { dead_sinks_.push_back(std::move(sink)); }
    void connection_closed(Connection& connection);

  private:
    EventLoop(std::size_t index, const Limits& limits, SharedLimits shared, int listener,
              std::unique_ptr<Poller> poller);

    // Every piece of work on this thread runs between enter() and leave().
    void enter();
    void leave();

    void wait_for_events();
    void dispatch_events();
    void run_ready();
    void arm_timer();

    void on_events(std::uint32_t events) override;  // of the listener
    void accept_some();
    void accept_soon();
    bool accept_one();
    void admit(int socket, Connection::Peer peer);
    void refuse(int socket, Connection::Peer peer, const TransportProblem& problem);
    bool shed_without_file();
    static int open_spare_file();
    void add(Connection& connection);
    void close_listener();

    void drain_now();
    void note_drained();
    void close_everything();

    const std::size_t index_;
    const Limits limits_;
    const SharedLimits shared_;

    boost::asio::io_context context_{1};
    std::unique_ptr<Poller> poller_;
    boost::asio::posix::stream_descriptor events_{context_};
    boost::asio::steady_timer timer_{context_};
    int listener_;
    int spare_file_;  // given up to answer one client when files have run out

    std::unique_ptr<Handler> handler_;
    std::unique_ptr<char[]> receive_;
    RequestParser parser_;
    DateLine date_;
    LoopCounters counters_;
    TimeoutWheel wheel_;
    Tick started_;
    Tick now_ = 0;
    std::uint32_t entry_ = 0;
    Tick timer_at_ = kNoDeadline;

    Connection* connections_ = nullptr;
    std::size_t open_ = 0;
    std::size_t refused_open_ = 0;
    std::vector<Connection*> ready_;  // each held
    std::vector<Connection*> ready_now_;
    std::vector<Connection*> dirty_;  // each held
    std::vector<Connection*> dead_;   // the loop's own hold, let go at the end of an entry
    std::vector<std::unique_ptr<BodySink>> dead_sinks_;
    std::vector<Buffer> spare_buffers_;
    bool ready_posted_ = false;
    bool draining_ = false;
    std::atomic<bool> drained_{false};
};

}  // namespace standings::net
