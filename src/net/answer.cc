#include "net/answer.h"

#include <charconv>
#include <cstring>
#include <ctime>

namespace standings::net {
namespace {

struct StatusLine {
    int status;
    std::string_view line;
};
constexpr StatusLine kStatusLines[] = {
    {200, "HTTP/1.1 200 OK\r\n"},
    {201, "HTTP/1.1 201 Created\r\n"},
    {202, "HTTP/1.1 202 Accepted\r\n"},
    {204, "HTTP/1.1 204 No Content\r\n"},
    {206, "HTTP/1.1 206 Partial Content\r\n"},
    {301, "HTTP/1.1 301 Moved Permanently\r\n"},
    {302, "HTTP/1.1 302 Found\r\n"},
    {303, "HTTP/1.1 303 See Other\r\n"},
    {304, "HTTP/1.1 304 Not Modified\r\n"},
    {307, "HTTP/1.1 307 Temporary Redirect\r\n"},
    {308, "HTTP/1.1 308 Permanent Redirect\r\n"},
    {400, "HTTP/1.1 400 Bad Request\r\n"},
    {401, "HTTP/1.1 401 Unauthorized\r\n"},
    {403, "HTTP/1.1 403 Forbidden\r\n"},
    {404, "HTTP/1.1 404 Not Found\r\n"},
    {405, "HTTP/1.1 405 Method Not Allowed\r\n"},
    {406, "HTTP/1.1 406 Not Acceptable\r\n"},
    {408, "HTTP/1.1 408 Request Timeout\r\n"},
    {409, "HTTP/1.1 409 Conflict\r\n"},
    {410, "HTTP/1.1 410 Gone\r\n"},
    {411, "HTTP/1.1 411 Length Required\r\n"},
    {412, "HTTP/1.1 412 Precondition Failed\r\n"},
    {413, "HTTP/1.1 413 Content Too Large\r\n"},
    {414, "HTTP/1.1 414 URI Too Long\r\n"},
    {415, "HTTP/1.1 415 Unsupported Media Type\r\n"},
    {417, "HTTP/1.1 417 Expectation Failed\r\n"},
    {421, "HTTP/1.1 421 Misdirected Request\r\n"},
    {422, "HTTP/1.1 422 Unprocessable Content\r\n"},
    {426, "HTTP/1.1 426 Upgrade Required\r\n"},
    {428, "HTTP/1.1 428 Precondition Required\r\n"},
    {429, "HTTP/1.1 429 Too Many Requests\r\n"},
    {431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
    {500, "HTTP/1.1 500 Internal Server Error\r\n"},
    {501, "HTTP/1.1 501 Not Implemented\r\n"},
    {502, "HTTP/1.1 502 Bad Gateway\r\n"},
    {503, "HTTP/1.1 503 Service Unavailable\r\n"},
    {504, "HTTP/1.1 504 Gateway Timeout\r\n"},
    {505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
};

// Empty for a status that is not in the table.
std::string_view status_line(int status) {
    for (const auto& [known, line] : kStatusLines) {
        if (known == status) return line;
    }
    return {};
}

// Writes into memory that is known to be large enough.
class Cursor {
  public:
    explicit Cursor(char* at) : at_(at) {}

    Cursor& operator<<(std::string_view text) {
        if (!text.empty()) std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
        return *this;
    }
    Cursor& number(std::size_t value, int base = 10) {
        at_ = std::to_chars(at_, at_ + kMaxDigits, value, base).ptr;
        return *this;
    }
    char* at() const { return at_; }

    static constexpr std::size_t kMaxDigits = 20;

  private:
    char* at_;
};

// More than the fixed parts of any head take together.
constexpr std::size_t kFixedHeadBytes = 256;

void put_status(Cursor& cursor, int status) {
    if (const auto line = status_line(status); !line.empty()) {
        cursor << line;
    } else {
        // The reason phrase may be empty, the space before it may not.
        (cursor << "HTTP/1.1 ").number(static_cast<std::size_t>(status)) << " \r\n";
    }
}

void put_common(Cursor& cursor, const Response& response, AnswerForm form, std::string_view date) {
    put_status(cursor, response.status);
    cursor << date;
    if (!response.content_type.empty()) {
        cursor << "Content-Type: " << response.content_type << "\r\n";
    }
    if (form.close) {
        cursor << "Connection: close\r\n";
    } else if (form.http_1_0) {
        cursor << "Connection: keep-alive\r\n";
    }
    cursor << response.headers;
}

std::size_t head_bound(const Response& response, std::string_view date) {
    return kFixedHeadBytes + date.size() + response.content_type.size() + response.headers.size();
}

}  // namespace

void write_answer(Buffer& out, const Response& response, AnswerForm form, std::string_view date) {
    const bool no_body = has_no_body(response.status);
    char* const begin = out.prepare(head_bound(response, date) + response.body.size());
    Cursor cursor(begin);
    put_common(cursor, response, form, date);
    if (!no_body) (cursor << "Content-Length: ").number(response.body.size()) << "\r\n";
    cursor << "\r\n";
    if (!no_body && !form.to_head) cursor << response.body;
    out.commit(static_cast<std::size_t>(cursor.at() - begin));
}

void write_streamed_head(Buffer& out, const Response& response, AnswerForm form,
                         std::string_view date) {
    char* const begin = out.prepare(head_bound(response, date));
    Cursor cursor(begin);
    put_common(cursor, response, form, date);
    if (!form.http_1_0 && !has_no_body(response.status)) cursor << "Transfer-Encoding: chunked\r\n";
    cursor << "\r\n";
    out.commit(static_cast<std::size_t>(cursor.at() - begin));
}

void write_chunk(Buffer& out, std::string_view piece) {
    if (piece.empty()) return;
    char* const begin = out.prepare(piece.size() + Cursor::kMaxDigits + 4);
    Cursor cursor(begin);
    cursor.number(piece.size(), 16) << "\r\n" << piece << "\r\n";
    out.commit(static_cast<std::size_t>(cursor.at() - begin));
}

void DateLine::update(std::int64_t unix_seconds) {
    if (unix_seconds == seconds_) return;
    seconds_ = unix_seconds;
    static constexpr char kDays[] = "SunMonTueWedThuFriSat";
    static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    const auto time = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    const auto two_digits = [](char* at, int value) {
        at[0] = static_cast<char>('0' + value / 10 % 10);
        at[1] = static_cast<char>('0' + value % 10);
    };
    std::memcpy(text_, "Date: Sat, 21 Nov 2026 00:00:00 GMT\r\n", sizeof text_);
    std::memcpy(text_ + 6, kDays + 3 * parts.tm_wday, 3);
    two_digits(text_ + 11, parts.tm_mday);
    std::memcpy(text_ + 14, kMonths + 3 * parts.tm_mon, 3);
    two_digits(text_ + 18, (parts.tm_year + 1900) / 100);
    two_digits(text_ + 20, parts.tm_year + 1900);
    two_digits(text_ + 23, parts.tm_hour);
    two_digits(text_ + 26, parts.tm_min);
    two_digits(text_ + 29, parts.tm_sec);
}

}  // namespace standings::net
