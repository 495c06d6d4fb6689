#include "net/request_parser.h"

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <optional>

#include "base/find_control.h"
#include "net/head_syntax.h"

namespace standings::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kMaxMethodBytes = 32;
constexpr std::size_t kVersionBytes = sizeof(" HTTP/1.1") - 1;

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

Method method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get:
            return Method::kGet;
        case http::verb::head:
            return Method::kHead;
        case http::verb::post:
            return Method::kPost;
        case http::verb::put:
            return Method::kPut;
        case http::verb::patch:
            return Method::kPatch;
        case http::verb::delete_:
            return Method::kDelete;
        case http::verb::options:
            return Method::kOptions;
        default:
            return Method::kOther;
    }
}

}  // namespace

// Beast's parser, told to keep nothing but what a Request names.
class HeadFields final : public http::basic_parser<true> {
  public:
    explicit HeadFields(RequestParser& parser) : out_(parser), request_(parser.request_) {}

    std::optional<std::string_view> content_length;
    std::optional<std::string_view> transfer_encoding;
    std::optional<std::string_view> host;
    std::optional<std::string_view> expect;
    std::string_view repeated;  // the name of a field that must be single and is not

  private:
    using beast_view = beast::string_view;
    using error_code = beast::error_code;

    void on_request_impl(http::verb verb, beast_view method, beast_view target, int version,
                         error_code&) override {
        request_.method = method_of(verb);
        request_.method_text = view(method);
        request_.target = view(target);
        out_.http_1_0_ = version == 10;
    }

    void on_field_impl(http::field field, beast_view name, beast_view value_,
                       error_code&) override {
        const auto value = view(value_);
        switch (field) {
            case http::field::host:
                return single(host, value, "Host");
            case http::field::content_length:
                return single(content_length, value, "Content-Length");
            case http::field::transfer_encoding:
                return single(transfer_encoding, value, "Transfer-Encoding");
            case http::field::expect:
                return single(expect, value, "Expect");
            case http::field::authorization:
                return single(request_.authorization, value, "Authorization");
            case http::field::content_type:
                return single(request_.content_type, value, "Content-Type");
            case http::field::content_encoding:
                return single(request_.content_encoding, value, "Content-Encoding");
            case http::field::if_match:
                return single(request_.if_match, value, "If-Match");
            case http::field::if_none_match:
                return single(request_.if_none_match, value, "If-None-Match");
            case http::field::origin:
                return single(request_.origin, value, "Origin");
            case http::field::access_control_request_method:
                return single(request_.access_control_request_method, value,
                              "Access-Control-Request-Method");
            case http::field::sec_websocket_key:
                return single(request_.websocket_key, value, "Sec-WebSocket-Key");
            case http::field::sec_websocket_version:
                return single(request_.websocket_version, value, "Sec-WebSocket-Version");
            case http::field::upgrade:
                request_.wants_websocket = equals_ignoring_case(value, "websocket");
                return;
            case http::field::sec_websocket_protocol:
                return first(request_.websocket_protocol, value);
            // Lists by definition, which a proxy may split: the first line is enough for us.
            case http::field::accept:
                return first(request_.accept, value);
            case http::field::accept_encoding:
                return first(request_.accept_encoding, value);
            case http::field::unknown:
                return unknown_field(view(name), value);
            default:
                return;
        }
    }

    // Names that Beast has no number for.
    void unknown_field(std::string_view name, std::string_view value) {
        switch (name.size()) {
            case 11:
                if (equals_ignoring_case(name, "traceparent")) {
                    single(request_.traceparent, value, "traceparent");
                }
                return;
            case 12:
                if (equals_ignoring_case(name, "x-request-id")) {
                    single(request_.request_id, value, "X-Request-Id");
                }
                return;
            case 13:
                if (equals_ignoring_case(name, "last-event-id")) {
                    single(request_.last_event_id, value, "Last-Event-ID");
                }
                return;
            case 14:
                if (equals_ignoring_case(name, "sec-fetch-mode")) {
                    single(request_.sec_fetch_mode, value, "Sec-Fetch-Mode");
                }
                return;
            case 15:
                if (equals_ignoring_case(name, "idempotency-key")) {
                    single(request_.idempotency_key, value, "Idempotency-Key");
                    request_.has_idempotency_key = true;
                }
                return;
            default:
                return;
        }
    }

    void single(std::optional<std::string_view>& slot, std::string_view value,
                std::string_view name) {
        if (slot) repeated = name;
        slot = value;
    }
    // An empty value leaves a non-null pointer, so that a second one is still seen.
    void single(std::string_view& slot, std::string_view value, std::string_view name) {
        if (slot.data() != nullptr) repeated = name;
        slot = value.data() != nullptr ? value : std::string_view("");
    }
    void first(std::string_view& slot, std::string_view value) {
        if (slot.data() == nullptr) slot = value;
    }

    void on_response_impl(int, beast_view, int, error_code&) override {}
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
    std::size_t on_body_impl(beast_view, error_code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, beast_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast_view, error_code&) override { return 0; }
    void on_finish_impl(error_code&) override {}

    RequestParser& out_;
    Request& request_;
};

void RequestParser::begin() {
    request_ = Request{};
    consumed_ = scanned_ = line_start_ = lines_ = blank_bytes_ = 0;
    content_length_ = 0;
    in_body_ = chunked_ = expects_continue_ = false;
}

bool RequestParser::fail(int status, std::string_view detail) {
    problem_ = {status, detail};
    return false;
}

RequestParser::Event RequestParser::parse(std::string_view input) {
    consumed_ = 0;
    if (in_body_) {
        switch (body_.next(input, consumed_, piece_)) {
            case BodyDecoder::Step::kNeedMore:
                return Event::kNeedMore;
            case BodyDecoder::Step::kPiece:
                return Event::kPiece;
            case BodyDecoder::Step::kEnd:
                return Event::kEnd;
            case BodyDecoder::Step::kBad:
                break;
        }
        fail(400, "The chunked coding of the request body is malformed.");
        return Event::kProblem;
    }

    switch (scan_head(input)) {
        case Scan::kNeedMore:
            return Event::kNeedMore;
        case Scan::kProblem:
            return Event::kProblem;
        case Scan::kComplete:
            break;
    }
    if (!read_head(input.substr(blank_bytes_, scanned_ - blank_bytes_))) return Event::kProblem;
    consumed_ = scanned_;
    in_body_ = true;
    return Event::kHead;
}

// Finds the empty line that ends the head, and refuses on the way what makes two programs disagree
// about where lines end. Looks at each byte once, however the bytes arrive, and asks about lengths
// before it judges the byte that is reached, so that the answer does not depend on how they do.
RequestParser::Scan RequestParser::scan_head(std::string_view input) {
    if (scanned_ == 0 && input.starts_with("\r\n")) scanned_ = line_start_ = blank_bytes_ = 2;

    std::size_t at = scanned_;
    while (at < input.size()) {
        if (at == line_start_ && lines_ > 0 && (input[at] == ' ' || input[at] == '\t')) {
            if (!check_length(input, at)) return Scan::kProblem;
            return fail(400, "A header line is folded."), Scan::kProblem;
        }
        at = base::find_control(input, at);
        if (at == input.size()) break;
        if (!check_length(input, at)) return Scan::kProblem;
        const char byte = input[at];
        if (byte == '\t' && lines_ > 0) {
            ++at;
            continue;
        }
        if (byte != '\r') {
            return fail(400, byte == '\n' ? "A line of the head ends in a bare LF."
                                          : "The head has a control character in it."),
                   Scan::kProblem;
        }
        if (at + 1 == input.size()) break;  // the LF is still to come
        if (input[at + 1] != '\n') {
            return fail(400, "The head has a bare CR in it."), Scan::kProblem;
        }
        if (!check_line_end(input, at)) return Scan::kProblem;
        const bool empty = at == line_start_;
        at += 2;
        line_start_ = at;
        if (empty) {
            scanned_ = at;
            return Scan::kComplete;
        }
    }
    scanned_ = at;
    return check_length(input, at) ? Scan::kNeedMore : Scan::kProblem;
}

// The bounds that hold for a head of which only the bytes before `at` are there.
bool RequestParser::check_length(std::string_view input, std::size_t at) {
    const std::size_t length = at - blank_bytes_;
    if (lines_ == 0 && length > kMaxMethodBytes) {
        const auto method = input.substr(blank_bytes_, kMaxMethodBytes + 1);
        if (method.find(' ') == std::string_view::npos) {
            return fail(400, "The request line does not begin with a method.");
        }
        // Of two bounds the nearer one is met first.
        const auto most = limits_->max_target_bytes + kMaxMethodBytes + kVersionBytes;
        if (length > most && most <= limits_->max_head_bytes) {
            return fail(414, "The request target is too long.");
        }
    }
    if (length > limits_->max_head_bytes) {
        return fail(431, "The head of the request is too large.");
    }
    return true;
}

// The line that ends at `at` (its CR) is complete: the bounds of the target and of the lines.
bool RequestParser::check_line_end(std::string_view input, std::size_t at) {
    if (at == line_start_) {
        if (lines_ == 0) return fail(400, "The request line is empty.");
        return true;
    }
    if (lines_ == 0) {
        const auto line = input.substr(line_start_, at - line_start_);
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        if (first != std::string_view::npos && last > first &&
            last - first - 1 > limits_->max_target_bytes) {
            return fail(414, "The request target is too long.");
        }
    }
    if (++lines_ > limits_->max_fields + 1) {
        return fail(431, "The request has too many header fields.");
    }
    return true;
}

// A complete head: Beast takes it apart, then what it lets pass is refused.
bool RequestParser::read_head(std::string_view head) {
    HeadFields fields(*this);
    fields.header_limit(static_cast<std::uint32_t>(head.size()));
    fields.body_limit(boost::none);

    beast::error_code error;
    fields.put(boost::asio::const_buffer(head.data(), head.size()), error);
    if (error == http::error::bad_version && names_version(head)) {
        return fail(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
    }
    // Beast also judges the body's framing; those fields have plainer words below.
    if (error && error != http::error::bad_content_length &&
        error != http::error::multiple_content_length &&
        error != http::error::bad_transfer_encoding) {
        if (error == http::error::bad_method) return fail(400, "The method is malformed.");
        if (error == http::error::bad_target) return fail(400, "The request target is malformed.");
        if (error == http::error::bad_version) return fail(400, "The request line is malformed.");
        return fail(400, "A header field is malformed.");
    }
    if (!fields.repeated.empty()) {
        return fail(400, "A header field that must be single is sent more than once.");
    }
    if (fields.transfer_encoding) {
        if (fields.content_length) {
            return fail(400, "Transfer-Encoding and Content-Length exclude each other.");
        }
        if (http_1_0_) return fail(400, "HTTP/1.0 has no Transfer-Encoding.");
        if (!equals_ignoring_case(*fields.transfer_encoding, "chunked")) {
            return fail(400, "The only Transfer-Encoding understood is chunked.");
        }
        chunked_ = true;
    }
    if (fields.content_length) {
        const auto text = *fields.content_length;
        const auto [end, problem] =
            std::from_chars(text.data(), text.data() + text.size(), content_length_);
        // from_chars takes neither a sign nor white space for an unsigned number.
        if (problem != std::errc{} || end != text.data() + text.size() || text.size() > 18) {
            return fail(400, "Content-Length is not a number.");
        }
    }
    if (error) return fail(400, "The framing of the request is malformed.");
    keep_alive_ = fields.keep_alive();
    request_.wants_websocket =
        request_.wants_websocket && fields.upgrade() && keep_alive_ && !http_1_0_;

    if (fields.host ? !is_authority(*fields.host) : !http_1_0_) {
        return fail(400,
                    fields.host ? "The Host field is malformed." : "The Host field is missing.");
    }
    request_.host = fields.host.value_or("");

    auto& target = request_.target;
    for (const char c : target) {
        if (c <= 0x20 || c > 0x7e || c == '#') {
            return fail(400, "The request target has a character that is not allowed there.");
        }
    }
    if (request_.method_text == "CONNECT") return fail(501, "CONNECT is not supported.");
    if (target == "*") {
        if (request_.method != Method::kOptions) {
            return fail(400, "The target * is for OPTIONS only.");
        }
    } else if (!target.starts_with('/')) {
        // Absolute form, as a proxy sends it: must name the same host.
        const std::size_t scheme = equals_ignoring_case(target.substr(0, 7), "http://")    ? 7
                                   : equals_ignoring_case(target.substr(0, 8), "https://") ? 8
                                                                                           : 0;
        const auto path = target.find('/', scheme);
        if (scheme == 0 || path == std::string_view::npos) {
            return fail(400, "The request target is malformed.");
        }
        if (!fields.host || target.substr(scheme, path - scheme) != *fields.host) {
            return fail(400, "The request target names another host than the Host field.");
        }
        target.remove_prefix(path);
    }

    if (fields.expect && !http_1_0_) {
        if (!equals_ignoring_case(*fields.expect, "100-continue")) {
            return fail(417, "The only expectation understood is 100-continue.");
        }
        expects_continue_ = true;
    }

    if (chunked_) {
        body_.start_chunked();
    } else {
        body_.start_sized(content_length_);
    }
    return true;
}

void RequestParser::head_moved(const char* from, const char* to) {
    std::string_view Request::*const kViews[] = {
        &Request::method_text,
        &Request::target,
        &Request::host,
        &Request::authorization,
        &Request::content_type,
        &Request::content_encoding,
        &Request::accept,
        &Request::accept_encoding,
        &Request::if_match,
        &Request::if_none_match,
        &Request::idempotency_key,
        &Request::origin,
        &Request::request_id,
        &Request::last_event_id,
        &Request::traceparent,
        &Request::sec_fetch_mode,
        &Request::access_control_request_method,
        &Request::websocket_key,
        &Request::websocket_version,
        &Request::websocket_protocol,
    };
    for (const auto member : kViews) {
        auto& text = request_.*member;
        if (!text.empty()) text = {to + (text.data() - from), text.size()};
    }
}

}  // namespace standings::net
