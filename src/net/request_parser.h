// HTTP/1.x requests out of bytes. Owns no socket and no bytes: a connection, a test and a fuzzer
// feed it alike, whole or cut at every byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/body_decoder.h"
#include "net/http.h"
#include "net/server.h"

namespace standings::net {

// Parses one request after another in place. The head is checked more strictly than Beast's parser
// does, since whatever two programs read differently can hide a second request. Allocates nothing.
// Costs about 0.3 us for a small head.
//
// Protocol: parse() until kEnd or kProblem; drop consumed() bytes of input after each call; begin()
// before the next request. While a head is incomplete nothing is consumed: feed the same bytes
// again with more behind them (they may have moved).
class RequestParser {
  public:
    enum class Event : std::uint8_t {
        kNeedMore,
        kHead,     // request() is filled but for its body
        kPiece,    // the next piece() of the body
        kEnd,      // the request is complete
        kProblem,  // see problem(); nothing that follows can be understood
    };

    explicit RequestParser(const Limits& limits) : limits_(&limits) {}

    void begin();
    Event parse(std::string_view input);

    std::size_t consumed() const { return consumed_; }
    std::string_view piece() const { return piece_; }
    const TransportProblem& problem() const { return problem_; }

    // Valid from kHead on, as long as the bytes of the head stay where they are.
    Request& request() { return request_; }
    // The head's bytes have been copied from `from` to `to`: moves the views of request() along.
    void head_moved(const char* from, const char* to);

    bool in_body() const { return in_body_; }
    bool has_body() const { return chunked_ || content_length_ > 0; }
    bool chunked() const { return chunked_; }
    std::uint64_t content_length() const { return content_length_; }
    bool is_head() const { return request_.method == Method::kHead; }
    bool http_1_0() const { return http_1_0_; }
    bool keep_alive() const { return keep_alive_; }
    bool expects_continue() const { return expects_continue_; }

  private:
    friend class HeadFields;

    enum class Scan : std::uint8_t { kNeedMore, kComplete, kProblem };

    Scan scan_head(std::string_view input);
    bool check_length(std::string_view input, std::size_t at);
    bool check_line_end(std::string_view input, std::size_t at);
    bool read_head(std::string_view head);
    bool fail(int status, std::string_view detail);

    const Limits* limits_;
    Request request_;
    BodyDecoder body_;
    TransportProblem problem_{0, {}};
    std::string_view piece_;
    std::size_t consumed_ = 0;
    std::uint64_t content_length_ = 0;

    // How far the incomplete head has been looked at.
    std::size_t scanned_ = 0;
    std::size_t line_start_ = 0;
    std::size_t lines_ = 0;
    std::size_t blank_bytes_ = 0;  // one empty line before the request is forgiven

    bool in_body_ = false;
    bool chunked_ = false;
    bool http_1_0_ = false;
    bool keep_alive_ = false;
    bool expects_continue_ = false;
};

}  // namespace standings::net
