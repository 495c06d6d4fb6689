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
    Reply(LoopTools& loop_tools, net::Exchange exchange, std::string request_id, std::string path)
        : tools_(&loop_tools),
          exchange_(std::move(exchange)),
          request_id_(std::move(request_id)),
          path_(std::move(path)) {}

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
    // The head of an answer that goes on with exchange().write().
    void begin(int status, std::string_view content_type);

    // CORS: any page may read this answer.
    void allow_any_origin() { any_origin_ = true; }

  private:
    std::string_view head_lines(std::string_view headers);

    LoopTools* tools_;
    net::Exchange exchange_;
    std::string request_id_;
    std::string path_;
    bool any_origin_ = false;
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

// What the content type says about a body.
enum class BodyKind : std::uint8_t { kNone, kJson, kNdjson, kOther };
BodyKind body_kind(const net::Request& request);

// An answer header with the caching rules of a board, and the weak ETag of a view at a seq.
void append_etag(std::string& out, std::string_view epoch, base::Sequence seq,
                 std::string_view view);
bool etag_matches(std::string_view if_none_match, std::string_view etag);

}  // namespace standings::api
