#include "api/call.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <vector>

#include "api/problem.h"
#include "base/hash.h"
#include "text/base32.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kMaxIdempotencyKey = 255;

bool needs_retry_after(ErrorCode code) {
    return code == ErrorCode::kOverloaded || code == ErrorCode::kDraining ||
           code == ErrorCode::kReadOnly || code == ErrorCode::kOutcomeUnknown ||
           code == ErrorCode::kNotReached || code == ErrorCode::kReadTimeout ||
           code == ErrorCode::kRateLimited || code == ErrorCode::kIo ||
           code == ErrorCode::kIntegrity || code == ErrorCode::kNoSpace || code == ErrorCode::kBusy;
}

std::string_view method_name(net::Method method) {
    constexpr std::array<std::string_view, 8> kNames = {"GET",   "HEAD",   "POST",    "PUT",
                                                        "PATCH", "DELETE", "OPTIONS", "other"};
    return kNames[static_cast<std::size_t>(method)];
}

// The media type without its parameters.
std::string_view media_type(std::string_view content_type) {
    content_type = content_type.substr(0, content_type.find(';'));
    while (content_type.ends_with(' ') || content_type.ends_with('\t')) {
        content_type.remove_suffix(1);
    }
    return content_type;
}

bool equal_fold(std::string_view a, std::string_view lower) {
    return a.size() == lower.size() &&
           std::equal(a.begin(), a.end(), lower.begin(),
                      [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

std::string_view scope_name(access::Scope scope) {
    switch (scope) {
        case access::Scope::kSubmit:
            return "submit";
        case access::Scope::kModerate:
            return "moderate";
        case access::Scope::kBoards:
            return "boards";
        case access::Scope::kRead:
            return "read";
        case access::Scope::kReadPrivate:
            return "read_private";
        case access::Scope::kAdmin:
            return "admin";
        case access::Scope::kNone:
            break;
    }
    return "";
}

}  // namespace

std::string_view Reply::head_lines(std::string_view headers) {
    std::string& lines = tools_->headers;
    lines.assign("X-Request-Id: ");
    lines += request_id_;
    lines += "\r\n";
    lines += "X-Content-Type-Options: nosniff\r\n";
    if (any_origin_)
        lines +=
            "Access-Control-Allow-Origin: *\r\n"
            "Access-Control-Expose-Headers: ETag, X-Request-Id, Standings-Position, Deprecation, "
            "Link, Retry-After\r\n";
    lines += headers;
    return lines;
}

void Reply::send(int status, std::string_view content_type, std::string_view body,
                 std::string_view headers) {
    note(status);
    exchange_.send({.status = status,
                    .content_type = content_type,
                    .headers = head_lines(headers),
                    .body = body});
}

void Reply::json(int status, std::string_view body, std::string_view headers) {
    send(status, "application/json", body, headers);
}

void Reply::empty(int status, std::string_view headers) {
    send(status, {}, {}, headers);
}

void Reply::begin(int status, std::string_view content_type, std::string_view headers) {
    begun_status_ = status;
    exchange_.begin({.status = status,
                     .content_type = content_type,
                     .headers = head_lines(headers),
                     .body = {}});
}

void Reply::end() {
    note(begun_status_);
    exchange_.end();
}

void Reply::note(int status, std::string_view detail) {
    using base::LogLevel;
    const Service& service = tools_->service;
    base::Log& log = *service.log;
    const base::Monotonic now = service.engine.clock().monotonic();
    const base::Monotonic took = now - started_;
    const bool slow =
        !may_be_slow_ && service.slow_request.count() > 0 && took > service.slow_request;
    LogLevel level = LogLevel::kDebug;
    if (slow) level = LogLevel::kWarning;
    // A server that ends refuses what still comes: as it should.
    if (status >= 500 && !service.draining.load(std::memory_order_relaxed)) {
        level = LogLevel::kError;
    }
    if (!log.takes(level)) return;
    if (level != LogLevel::kDebug && !tools_->may_complain(now)) return;
    std::vector<base::LogField> fields = {
        {"request_id", request_id_},
        {"method", method_name(method_)},
        {"path", path_},
        {"status", status},
        {"duration_ms", std::chrono::duration<double, std::milli>(took).count()},
        {"peer", peer_}};
    if (!traceparent_.empty()) fields.emplace_back("traceparent", traceparent_);
    if (status >= 500 && !detail.empty()) fields.emplace_back("detail", detail);
    log.write(level, status >= 500 ? "request failed" : slow ? "slow request" : "request", fields);
}

void Reply::problem(const Error& error, std::string_view further, std::string_view member) {
    std::string body;
    append_problem(body, error, path_, request_id_);
    if (!member.empty()) body.insert(body.rfind('}'), "," + std::string(member));
    std::string headers = "Cache-Control: no-store\r\n";
    headers += further;
    if (error.code == ErrorCode::kUnauthenticated) {
        headers += "WWW-Authenticate: Bearer realm=\"standings\"\r\n";
    }
    if (needs_retry_after(error.code)) headers += "Retry-After: 1\r\n";
    const int status = problem_kind(error.code).status;
    note(status, error.detail);
    exchange_.send({.status = status,
                    .content_type = "application/problem+json",
                    .headers = head_lines(headers),
                    .body = body});
}

Result<std::shared_ptr<engine::HostedBoard>> Call::board() const {
    return board(target.segment(2));
}

Result<std::shared_ptr<engine::HostedBoard>> Call::board(std::string_view slug) const {
    return visible_board(service(), slug, caller.may(access::Scope::kReadPrivate));
}

Result<std::shared_ptr<engine::HostedBoard>> visible_board(const Service& service,
                                                           std::string_view slug,
                                                           bool private_too) {
    auto board = service.engine.registry().find(slug);
    if (!board || (!private_too && !is_public(*board))) {
        return Error{ErrorCode::kBoardNotFound, "There is no board of this name."};
    }
    return board;
}

Result<void> check_scope(const access::Caller& caller, access::Scope scope) {
    if (caller.may(scope)) return {};
    if (caller.id.empty()) {
        return Error{ErrorCode::kUnauthenticated,
                     "This needs a key: send `Authorization: Bearer st_sk_...`."};
    }
    if (caller.id == access::kAnyone) {
        return Error{ErrorCode::kForbidden,
                     "Here everybody may read and submit, and nobody anything else, as in a demo. "
                     "`standings serve` is a server of your own."};
    }
    return Error{ErrorCode::kForbidden,
                 "The key lacks the scope `" + std::string(scope_name(scope)) + "`."};
}

bool is_public(const engine::HostedBoard& board) {
    return board.read([](const engine::HostedBoard::View& view) {
        return view.config->visibility == ledger::Visibility::kPublic;
    });
}

Result<void> Call::check_parameters(std::initializer_list<std::string_view> known) const {
    return check_parameters(std::span(known.begin(), known.size()));
}

Result<void> Call::check_parameters(std::span<const std::string_view> known) const {
    for (const Target::Parameter& parameter : target.parameters()) {
        if (std::find(known.begin(), known.end(), parameter.name) != known.end()) continue;
        std::string detail = "The parameter is not known here; there ";
        detail += known.size() == 0 ? "are none" : "are";
        for (const std::string_view name : known) detail += " `" + std::string(name) + '`';
        return Error{ErrorCode::kInvalid, detail + '.', '?' + std::string(parameter.name)};
    }
    return {};
}

Result<std::uint64_t> Call::number(std::string_view name, std::uint64_t fallback,
                                   std::uint64_t least, std::uint64_t most) const {
    const auto text = target.parameter(name);
    if (!text) return fallback;
    std::uint64_t value = 0;
    const char* end = text->data() + text->size();
    const auto [at, failure] = std::from_chars(text->data(), end, value);
    if (failure != std::errc{} || at != end || value < least || value > most) {
        return Error{ErrorCode::kInvalid,
                     "This is a whole number from " + std::to_string(least) + " to " +
                         std::to_string(most) + ".",
                     '?' + std::string(name)};
    }
    return value;
}

Result<std::optional<engine::RequestKey>> Call::idempotency_key() const {
    if (!request.has_idempotency_key) return std::optional<engine::RequestKey>{};
    auto key = request_key(service(), caller, request.idempotency_key,
                           {request.method_text, request.target, request.body});
    if (!key) return key.error();
    return std::optional(*key);
}

Result<engine::RequestKey> request_key(const Service& service, const access::Caller& caller,
                                       std::string_view key, const KeyedRequest& request) {
    const bool visible =
        std::all_of(key.begin(), key.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
    if (key.empty() || key.size() > kMaxIdempotencyKey || !visible) {
        return Error{ErrorCode::kMalformed,
                     "An Idempotency-Key has 1 to 255 visible ASCII characters."};
    }
    const std::uint64_t seed = service.engine.hash_seed();
    std::string scoped(caller.id);
    scoped += '\n';
    scoped += key;
    const std::uint64_t head = base::hash64(request.target, base::hash64(request.method, seed));
    return engine::RequestKey{base::hash128(scoped, seed), base::hash64(request.body, head)};
}

Result<const text::JsonNode*> Call::json_body() const {
    const BodyKind kind = body_kind(request);
    if (kind == BodyKind::kOther || kind == BodyKind::kNdjson ||
        !request.content_encoding.empty()) {
        return Error{ErrorCode::kUnsupportedMediaType,
                     "Send the body as `Content-Type: application/json`, without a "
                     "Content-Encoding. With curl that is `--json`."};
    }
    return tools().json.parse(request.body);
}

BodyKind body_kind(const net::Request& request) {
    const std::string_view type = media_type(request.content_type);
    if (type.empty()) return BodyKind::kNone;
    if (equal_fold(type, "application/json")) return BodyKind::kJson;
    if (type.starts_with("application/") && type.ends_with("+json")) return BodyKind::kJson;
    if (equal_fold(type, "application/x-ndjson") || equal_fold(type, "application/ndjson") ||
        equal_fold(type, "application/jsonl")) {
        return BodyKind::kNdjson;
    }
    return BodyKind::kOther;
}

ViewId view_id(std::string_view target, bool with_meta) {
    return {base::hash64(target, with_meta ? 1 : 0)};
}

void append_etag(std::string& out, std::string_view epoch, base::Sequence seq, ViewId view) {
    out += "W/\"";
    out += epoch;
    out += '-';
    text::append_number(out, seq.value);
    out += '-';
    text::append_base32(out, view.hash);
    out += '"';
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
    const auto strong = [](std::string_view tag) {
        if (tag.starts_with("W/")) tag.remove_prefix(2);
        return tag;
    };
    while (!if_none_match.empty()) {
        const std::size_t comma = if_none_match.find(',');
        std::string_view one = if_none_match.substr(0, comma);
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        if (one == "*" || strong(one) == strong(etag)) return true;
        if (comma == std::string_view::npos) break;
        if_none_match.remove_prefix(comma + 1);
    }
    return false;
}

}  // namespace standings::api
