// Answers as bytes: heads written by hand into a buffer.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/buffer.h"
#include "net/http.h"

namespace standings::net {

// What the request and the connection's state make of an answer.
struct AnswerForm {
    bool to_head = false;  // no body, the same Content-Length
    bool http_1_0 = false;
    bool close = false;
};

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// 204, 304 and 1xx have no body, whatever the handler gave.
constexpr bool has_no_body(int status) {
    return status == 204 || status == 304 || status < 200;
}

// `date` is a whole line, "Date: ...\r\n".
void write_answer(Buffer& out, const Response& response, AnswerForm form, std::string_view date);
// The head of an answer of unknown length.
void write_streamed_head(Buffer& out, const Response& response, AnswerForm form,
                         std::string_view date);
// One chunk of a chunked body; an empty piece writes nothing.
void write_chunk(Buffer& out, std::string_view piece);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// The line "Date: Sat, 21 Nov 2026 00:15:00 GMT\r\n", made anew when the second changes.
class DateLine {
  public:
    void update(std::int64_t unix_seconds);
    std::string_view line() const { return {text_, sizeof text_}; }

  private:
    std::int64_t seconds_ = INT64_MIN;
    char text_[37] = {};
};

}  // namespace standings::net
