// One request on its way through a route.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "access/credentials.h"
#include "api/service.h"
#include "api/target.h"
#include "base/result.h"
#include "engine/hosted_board.h"
#include "engine/operation.h"
#include "net/http.h"

namespace standings::api {

// What an answer needs when the request itself is gone. Moves to wherever the answer is made.
class Reply {
  public:
    // Of `request`, what the log needs is copied.
    Reply(LoopTools& loop_tools, net::Exchange exchange, std::string request_id, std::string path,
          const net::Request& request)
        : tools_(&loop_tools),
          exchange_(std::move(exchange)),
          request_id_(std::move(request_id)),
          path_(std::move(path)),
          peer_(request.peer),
          traceparent_(request.traceparent),
          started_(loop_tools.service.engine.clock().monotonic()),
          method_(request.method) {}

    LoopTools& tools() const { return *tools_; }
    net::Exchange& exchange() { return exchange_; }
    const std::string& request_id() const { return request_id_; }

    // `headers` are further ready lines.
    void json(int status, std::string_view body, std::string_view headers = {});
    void send(int status, std::string_view content_type, std::string_view body,
              std::string_view headers = {});
    // `headers` are further ready lines, `member` is a further ready member.
    void problem(const base::Error& error, std::string_view headers = {},
                 std::string_view member = {});
    // 304 or 204: no body.
    void empty(int status, std::string_view headers = {});
    // The head of an answer that goes on with exchange().write(), up to end().
    void begin(int status, std::string_view content_type, std::string_view headers = {});
    void end();
    // Takes as long as its client does: never logged as slow.
    void expect_long() { may_be_slow_ = true; }

    // CORS: any page may read this answer.
    void allow_any_origin() { any_origin_ = true; }

  private:
    std::string_view head_lines(std::string_view headers);
    // Logs the answer: a 5xx as an error, a slow one as a warning, all others for debugging.
    void note(int status, std::string_view detail = {});

    LoopTools* tools_;
    net::Exchange exchange_;
    std::string request_id_;
    std::string path_;
    std::string peer_;
    std::string traceparent_;
    base::Monotonic started_;
    int begun_status_ = 0;
    net::Method method_;
    bool any_origin_ = false;
    bool may_be_slow_ = false;
};

// The request while its handler runs.
struct Call {
    const net::Request& request;
    const Target& target;
    access::Caller caller;
    Reply reply;

    LoopTools& tools() const { return reply.tools(); }
    Service& service() const { return reply.tools().service; }

    // The board that the path names, if the caller may see it; else kBoardNotFound.
    base::Result<std::shared_ptr<engine::HostedBoard>> board() const;
    // The same for a board that something else names.
    base::Result<std::shared_ptr<engine::HostedBoard>> board(std::string_view slug) const;
    // kInvalid for a parameter that is not in `known`.
    base::Result<void> check_parameters(std::initializer_list<std::string_view> known) const;
    base::Result<void> check_parameters(std::span<const std::string_view> known) const;
    // A parameter as a number from `least` to `most`.
    base::Result<std::uint64_t> number(std::string_view name, std::uint64_t fallback,
                                       std::uint64_t least, std::uint64_t most) const;
    // The Idempotency-Key, hashed with its credential; none without the header. kMalformed for
    // one that is empty, too long or not visible ASCII.
    base::Result<std::optional<engine::RequestKey>> idempotency_key() const;
    // The body as one JSON value.
    base::Result<const text::JsonNode*> json_body() const;
};

// The board, if it is public or `private_too`; else kBoardNotFound.
base::Result<std::shared_ptr<engine::HostedBoard>> visible_board(const Service& service,
                                                                 std::string_view slug,
                                                                 bool private_too);
bool is_public(const engine::HostedBoard& board);
// kUnauthenticated for who has no key, kForbidden for a key that does not allow it.
base::Result<void> check_scope(const access::Caller& caller, access::Scope scope);

// A request whose repetition counts once.
struct KeyedRequest {
    std::string_view method;
    std::string_view target;
    std::string_view body;
};
// kMalformed for a key that is empty, too long or not visible ASCII.
base::Result<engine::RequestKey> request_key(const Service& service, const access::Caller& caller,
                                             std::string_view key, const KeyedRequest& request);

// What the content type says about a body.
enum class BodyKind : std::uint8_t { kNone, kJson, kNdjson, kOther };
BodyKind body_kind(const net::Request& request);

// What an ETag stands for beside the seq: what was asked for, and whether meta is shown.
struct ViewId {
    std::uint64_t hash;
};
ViewId view_id(std::string_view target, bool with_meta = false);
// The weak ETag of a view at a seq.
void append_etag(std::string& out, std::string_view epoch, base::Sequence seq, ViewId view);
bool etag_matches(std::string_view if_none_match, std::string_view etag);

}  // namespace standings::api
