// One client's connection: requests in, answers out, in order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/answer.h"
#include "net/buffer.h"
#include "net/byte_stream.h"
#include "net/http.h"
#include "net/input_memory.h"
#include "net/poller.h"
#include "net/request_parser.h"
#include "net/timeout_wheel.h"

namespace standings::net {

class EventLoop;

// Lives on its loop's thread. The loop holds it while it is open, each Exchange holds it too, so
// that a late answer finds a closed connection rather than none. An idle one owns no buffer: it
// reads into the loop's, and keeps an Intake only while half a request is there.
class Connection final : public PollTarget, public TimeoutNode {
  public:
    struct Peer {
        std::string text;         // the address without port
        std::string account_key;  // for the limit per address; empty when it does not count
    };

    Connection(EventLoop& loop, std::unique_ptr<ByteStream> stream, Peer peer);
    ~Connection();

    const Peer& peer() const { return peer_; }
    bool closed() const { return closed_; }

    // Of the loop.
    void on_events(std::uint32_t events) override;
    void on_timeout() override;
    // Goes on with input that waits. To be followed by flush_and_settle().
    void turn();
    // Sends what is ready, and decides what comes next.
    void flush_and_settle();
    // Answers with a problem and closes, without reading a request.
    void refuse_at_once(const TransportProblem& problem);
    void begin_drain();
    void close_now();

    // The loop's list of open connections, and its marks for work to do.
    Connection* previous = nullptr;
    Connection* next = nullptr;
    bool is_marked_ready = false;
    bool is_marked_dirty = false;
    bool is_refused = false;

    void hold() { ++references_; }
    void let_go() {
        if (--references_ == 0) delete this;
    }

  private:
    friend class Exchange;

    // What is kept of a request that has not wholly arrived.
    struct Intake {
        Intake(const RequestParser& begun, InputMemory& memory)
            : parser(begun), input_held(memory), body_held(memory) {}
        // The request is read.
        void forget_body();
        // All is refused.
        void forget();

        RequestParser parser;
        HeldInput input_held;
        std::string input;         // not parsed yet
        bool needs_bytes = false;  // ... and cannot be, without more
        HeldInput body_held;
        std::string head;  // of the request whose whole body is being collected
        std::string body;
    };

    // An answer that is ready before one in front of it.
    struct EarlyAnswer {
        Buffer bytes;
        bool complete = false;
        bool close = false;
    };

    // kRaw: of another protocol, until the end.
    enum class BodyMode : std::uint8_t { kNone, kWhole, kStream, kRaw };
    enum class Wait : std::uint8_t { kNothing, kIdle, kHead, kBody };

    // --- input (connection.cc)
    RequestParser& parser();
    Intake& intake();
    std::size_t receive(char* out, std::size_t room);
    std::string_view consume(std::string_view input);
    void take_head(RequestParser& now, std::string_view& input);
    void take_stream(std::size_t sink_bytes);
    void take_piece(RequestParser& now);
    void take_raw(std::string_view piece);
    void take_end(RequestParser& now);
    void dispatch(RequestParser& now);
    bool make_room_in_body(std::size_t more);
    void keep(std::string_view rest);
    bool may_parse() const;
    bool has_work() const;
    void end_input() { input_ended_ = true; }
    void input_broke_off();
    void refuse_large_body();
    void refuse_for_memory();
    void refuse(TransportProblem problem);
    void discard_input();

    // --- output (connection_output.cc)
    Exchange make_exchange(const RequestParser& from);
    std::uint32_t owed() const { return next_sequence_ - first_owed_; }
    bool owes(std::uint32_t sequence) const {
        return !closed_ && sequence - first_owed_ < owed() && !is_complete(sequence);
    }
    bool is_complete(std::uint32_t sequence) const {
        const std::size_t place = sequence - first_owed_;
        return place < early_.size() && early_[place].complete;
    }
    bool must_close_after(const Exchange& exchange) const;
    Buffer& output();
    Buffer& output_for(std::uint32_t sequence);
    void note_owing();
    void count_answer(int status);
    void answer(const Exchange& exchange, const Response& response);
    void begin_answer(Exchange& exchange, const Response& response);
    void upgrade(const Exchange& exchange, std::string_view headers,
                 std::unique_ptr<BodySink> sink);
    void write_at_once(std::string_view& piece);
    void write_piece(const Exchange& exchange, std::string_view piece);
    void end_answer(const Exchange& exchange);
    void complete(std::uint32_t sequence, bool close);
    void abandon(std::uint32_t sequence, bool reset);
    void abort_answer(std::uint32_t sequence, bool reset);
    void forget_answers();
    void close_stream();
    void send_continue_if_due();
    void output_changed();
    std::size_t unsent() const;
    std::size_t unsent_to(std::uint32_t sequence) const;
    void wait_for_drain(std::uint32_t sequence, std::size_t most, std::function<void()> task);
    void run_drain_waits();
    void note_read(std::size_t bytes);
    void use_usual_patience();
    Tick write_timeout() const;
    bool flush();

    // --- what comes next (connection_output.cc)
    void settle();
    void finish();
    void update_deadline();
    Tick deadline() const;

    EventLoop& loop_;
    std::unique_ptr<ByteStream> stream_;
    std::unique_ptr<Intake> intake_;
    std::unique_ptr<BodySink> sink_;
    HeldInput stream_held_;  // what sink_ and the input behind it may keep
    // Somebody makes a long answer as fast as it is read. One an answer; most often there is none.
    struct DrainWait {
        std::uint32_t sequence;
        std::size_t most;
        std::function<void()> task;
    };
    std::vector<DrainWait> drain_waits_;
    Buffer out_;
    std::vector<EarlyAnswer> early_;  // [i] is the answer first_owed_ + i; [0] stays empty
    Peer peer_;

    Tick read_mark_ = 0;       // since when `wait_` lasts without progress
    Tick write_mark_ = 0;      // since when the client has not read enough; later by idle output
    Tick emptied_at_ = 0;      // when out_ last became empty
    Tick write_patience_ = 0;  // 0: the loop's limit
    std::size_t write_least_ = 1;  // bytes that are enough to move write_mark_ ...
    std::size_t write_taken_ = 0;  // ... of which these are read
    Tick linger_until_ = 0;
    std::size_t linger_budget_ = 0;
    std::size_t max_body_bytes_ = 0;  // of the whole body that is arriving

    std::uint32_t references_ = 0;
    std::uint32_t first_owed_ = 0;
    std::uint32_t next_sequence_ = 0;
    std::uint32_t stream_sequence_ = 0;  // the answer to the streamed body, while stream_open_
    std::uint32_t wrote_in_ = 0;         // the loop's entry of the last write_at_once()

    BodyMode body_mode_ = BodyMode::kNone;  // of the request whose body is arriving
    Wait wait_ = Wait::kNothing;

    bool readable_ = false;     // the stream may have bytes for us
    bool hung_up_ = false;      // the peer sent its end: read until we meet it
    bool ended_ = false;        // ... and met it
    bool input_ended_ = false;  // nothing more is parsed
    bool peer_closes_ = false;  // it asked for the end itself
    bool in_turn_ = false;
    bool blocked_ = false;       // the client has not read all of out_
    bool stream_open_ = false;   // the streamed request is not answered yet
    bool stream_begun_ = false;  // its answer has begun
    bool body_arrived_ = false;  // its body is complete
    bool paused_ = false;        // its sink asked to wait
    bool parse_again_ = false;   // parsing stopped inside a body, though not for want of bytes
    bool continue_due_ = false;  // the client waits for 100 Continue
    bool progressed_ = false;    // this turn brought bytes of a streamed body
    bool lingering_ = false;     // all is said; reading the peer out, so that it hears us
    bool closed_ = false;
};

}  // namespace standings::net
