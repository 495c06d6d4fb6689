// What an HTTP handler sees: a request, and an exchange to answer it with. Free of Asio, so that
// routes and JSON compile without it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace standings::net {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

// Views into the connection's read buffer: they live until the handler returns.
struct Request {
    Method method = Method::kOther;
    std::string_view method_text;
    std::string_view target;  // origin form, as sent: "/v1/boards?limit=5"
    std::string_view body;    // the whole body; empty for a streamed one

    // The header fields that the product uses; empty when absent. The transport rejects a second
    // one of a field that must be single.
    std::string_view host;
    std::string_view authorization;
    std::string_view content_type;
    std::string_view content_encoding;
    std::string_view accept;
    std::string_view accept_encoding;
    std::string_view if_match;
    std::string_view if_none_match;
    std::string_view idempotency_key;
    std::string_view origin;
    std::string_view request_id;     // X-Request-Id
    std::string_view last_event_id;  // of a text/event-stream that goes on
    std::string_view traceparent;
    std::string_view sec_fetch_mode;  // a browser sends it
    std::string_view access_control_request_method;
    std::string_view websocket_key;       // Sec-WebSocket-Key
    std::string_view websocket_version;   // Sec-WebSocket-Version
    std::string_view websocket_protocol;  // Sec-WebSocket-Protocol, the first line
    bool wants_websocket = false;         // Connection: upgrade, Upgrade: websocket
    bool has_idempotency_key = false;     // an empty key is a mistake, not an absent one

    std::string_view peer;  // the address without port, for limits and logs
};

// An answer; the views are copied before send() returns. The transport adds the status line, Date,
// Content-Length and Connection, and leaves out the body of an answer to HEAD and of a 204 or 304.
struct Response {
    int status = 200;
    std::string_view content_type = {};
    std::string_view headers = {};  // ready lines, each ended by "\r\n"
    std::string_view body = {};
    bool close = false;
};

class BodySink;
class Connection;

// A promise to answer one request, kept on the connection's loop thread. Answers of pipelined
// requests leave in the order of the requests, whichever is ready first. Dropping it unanswered
// closes the connection. When the client is gone all calls do nothing. A handle of 16 bytes:
// making, moving and answering it allocates nothing.
class Exchange {
  public:
    Exchange() = default;
    Exchange(Exchange&& other) noexcept;
    Exchange& operator=(Exchange&& other) noexcept;
    ~Exchange() {
        if (connection_ != nullptr) drop();
    }

    // The whole answer at once. Afterwards the exchange is spent.
    void send(const Response& response);

    // An answer of unknown length: chunked for HTTP/1.1, up to the end of the connection for 1.0.
    // `response.body` is its first piece. Then write() as often as wanted, end() once.
    void begin(const Response& response);
    void write(std::string_view piece);
    void end();

    // 101 with these header lines: the connection speaks another protocol from here on. What it
    // sends goes to `sink` as it is, write() sends as it is, and end() is the connection's end.
    // For the last request that was read, whose handler is still running.
    void upgrade(std::string_view headers, std::unique_ptr<BodySink> sink);

    // Ends the connection at once, without the rest of the answer.
    void abort();

    // Bytes up to the end of this answer that the client has not read yet: also those of answers
    // before it, but not of those behind it, which cannot leave before it has ended.
    std::size_t unsent_bytes() const;
    // Calls `task` once on the loop's thread, when unsent_bytes() is at most `bytes`, or when the
    // client is gone (open() tells), but never within this call. One task at a time waits for an
    // exchange: another call takes its place. This is how a long answer is made no faster than it
    // is read. A task may hold this exchange.
    void when_unsent_at_most(std::size_t bytes, std::function<void()> task);
    // The same for the client's end alone.
    void when_gone(std::function<void()> task) { when_unsent_at_most(kGoneOnly, std::move(task)); }
    // Until all output is read and nothing more is owed, the client has to read `least_bytes` of it
    // in each `patience`, instead of anything in each Limits::write_timeout; else the connection
    // ends. Time in which nothing waits for the client does not count.
    void allow_slow_reading(std::chrono::milliseconds patience, std::size_t least_bytes = 1);
    // For answers that tell of now: what the kernel has not sent counts as unsent, beyond `bytes`.
    void bound_unsent(std::size_t bytes);
    // For a streamed body: BodySink::on_body is called again after it asked for a pause.
    void resume_body();
    // The client is still there.
    bool open() const;
    bool is_http_1_0() const { return http_1_0_; }

  private:
    friend class Connection;

    // More than any answer: such a wait ends with the connection.
    static constexpr std::size_t kGoneOnly = SIZE_MAX;

    // Gives up the connection; closes it when the answer is still owed.
    void drop();
    // The connection, while this answer is owed and the client is there; else null.
    Connection* owing() const;

    // Kept in memory by this handle, open or closed.
    Connection* connection_ = nullptr;
    std::uint32_t sequence_ = 0;
    bool to_head_ = false;
    bool http_1_0_ = false;
    bool keep_alive_ = false;
    bool begun_ : 1 = false;
    bool no_body_ : 1 = false;  // of the answer begun
    bool raw_ : 1 = false;      // upgraded
};

// Takes a streamed request body on the loop's thread. Destroyed when the exchange is answered, or
// the client is gone. While more than Limits::max_unsent_bytes of answer wait for the client, the
// transport pauses the body by itself.
//
// An answer that is complete before the body is closes the connection after it: what follows of the
// body is read past. Until the exchange is answered no later request of the connection is read.
class BodySink {
  public:
    virtual ~BodySink() = default;
    // The next piece, with the transfer coding taken off. False: pause reading (already taken is
    // this whole piece) until Exchange::resume_body().
    virtual bool on_body(std::string_view piece) = 0;
    // The body is complete.
    virtual void on_end() = 0;
    // The client is gone, or broke the framing, before the end.
    virtual void on_abort() = 0;
};

struct BodyPlan {
    enum class Kind : std::uint8_t { kWhole, kStream } kind = Kind::kWhole;
    // Of a whole body; more is 413. Of a stream: what its sink keeps of it at most, besides a piece
    // that it could not use yet.
    std::size_t max_bytes = 64 * 1024;
};

// A failure that the transport finds itself (framing, limits, time-outs) before any handler runs.
struct TransportProblem {
    int status;               // 400, 408, 413, 414, 417, 429, 431, 501, 503, 505
    std::string_view detail;  // a sentence
};

// Everything between bytes and answers. One per loop; used on that loop's thread only.
class Handler {
  public:
    virtual ~Handler() = default;
    // The head is complete: how shall the body come? (Not asked when there is none.)
    virtual BodyPlan plan_body(const Request& head) = 0;
    // A request with its whole body. Answer now, or move `exchange` away and answer later on this
    // loop's thread.
    virtual void handle(const Request& request, Exchange exchange) = 0;
    // The requests that were there at once have all been handled: what was put off to be done
    // together is due, before any answer leaves.
    virtual void finish_round() {}
    // A request whose body plan was kStream.
    virtual std::unique_ptr<BodySink> handle_stream(const Request& head, Exchange exchange) = 0;
    // The body of the answer to a transport problem, sent before the connection closes. Writes
    // problem+json into `body` and further header lines into `headers`; the transport adds the
    // Content-Type.
    virtual void describe(const TransportProblem& problem, std::string& headers,
                          std::string& body) = 0;
};

}  // namespace standings::net
