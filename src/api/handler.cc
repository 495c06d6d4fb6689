#include "api/handler.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "api/call.h"
#include "api/player_round.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/submission_stream.h"
#include "base/clock.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kMaxRequestId = 128;
constexpr auto kMaxWait = std::chrono::seconds(2);

bool is_submissions(std::string_view target) {
    return target.substr(0, target.find('?')).ends_with("/submissions");
}

bool is_read(net::Method method) {
    return method == net::Method::kGet || method == net::Method::kHead;
}

ErrorCode transport_code(int status) {
    for (const ProblemKind& kind : problem_kinds()) {
        if (kind.status == status) return kind.error;
    }
    return ErrorCode::kMalformed;
}

// A request that waits for its position in the ledger, with copies of all that it is made of.
class WaitingRead final : public engine::Operation {
  public:
    // Answers again what was asked, once the position is reached.
    using Again = std::function<void(const net::Request&, net::Exchange)>;

    WaitingRead(LoopTools& tools, const net::Request& request, net::Exchange exchange, Again again)
        : Operation(tools.mailbox), exchange_(std::move(exchange)), again_(std::move(again)) {
        copy_.method = request.method;
        for (const auto field : kKept) copy_.*field = keep(request.*field);
    }

    void finished() override { again_(copy_, std::move(exchange_)); }
    const net::Request& copy() const { return copy_; }
    net::Exchange take_exchange() { return std::move(exchange_); }

  private:
    static constexpr std::string_view net::Request::*kKept[] = {
        &net::Request::method_text,   &net::Request::target,     &net::Request::authorization,
        &net::Request::if_none_match, &net::Request::origin,     &net::Request::request_id,
        &net::Request::peer,          &net::Request::traceparent};

    std::string_view keep(std::string_view text) { return texts_.emplace_back(text); }

    std::deque<std::string> texts_;
    net::Request copy_;
    net::Exchange exchange_;
    Again again_;
};

// The names in "a b c".
std::vector<std::string_view> split(std::string_view names) {
    std::vector<std::string_view> all;
    while (!names.empty()) {
        const std::size_t space = names.find(' ');
        all.push_back(names.substr(0, space));
        names.remove_prefix(space == std::string_view::npos ? names.size() : space + 1);
    }
    return all;
}

class ApiHandler final : public net::Handler {
  public:
    ApiHandler(Service& service, net::Loop& loop) : tools_(service, loop) {}

    net::BodyPlan plan_body(const net::Request& head) override;
    void handle(const net::Request& request, net::Exchange exchange) override;
    std::unique_ptr<net::BodySink> handle_stream(const net::Request& head,
                                                 net::Exchange exchange) override;
    void finish_round() override { tools_.players->answer_all(); }
    void describe(const net::TransportProblem& problem, std::string& headers,
                  std::string& body) override;

  private:
    bool answer_from_cache(const net::Request& request, net::Exchange& exchange);
    // A read that a connection sent before a write does not see what the write did.
    void answer_reads_before(net::Method method) {
        if (!is_read(method)) tools_.players->answer_all();
    }
    void dispatch(const net::Request& request, net::Exchange exchange, bool may_wait);
    Reply make_reply(const net::Request& request, net::Exchange exchange);
    // The route, once the caller may use it.
    Result<const Route*> admit(const net::Request& request, Reply& reply, access::Caller& caller);
    void answer_options(const net::Request& request, Reply& reply, const Match& match);
    // True when the request has to wait, or was answered for its min_seq.
    bool wait_for_position(const net::Request& request, Reply& reply);

    LoopTools tools_;
};

net::BodyPlan ApiHandler::plan_body(const net::Request& head) {
    const bool submissions = head.method == net::Method::kPost && is_submissions(head.target);
    if (submissions && body_kind(head) == BodyKind::kNdjson) {
        return {.kind = net::BodyPlan::Kind::kStream,
                .max_bytes = tools_.service.limits.max_line_bytes};
    }
    const Limits& limits = tools_.service.limits;
    // Room for an array is for those who may send one.
    const bool known = submissions && !head.authorization.empty() &&
                       tools_.service.credentials.identify(head.authorization);
    return {.kind = net::BodyPlan::Kind::kWhole,
            .max_bytes = known ? std::max(limits.max_array_bytes, limits.max_body_bytes)
                               : limits.max_body_bytes};
}

Reply ApiHandler::make_reply(const net::Request& request, net::Exchange exchange) {
    const std::string_view sent = request.request_id;
    const bool usable =
        !sent.empty() && sent.size() <= kMaxRequestId &&
        std::all_of(sent.begin(), sent.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    const std::string_view path = request.target.substr(0, request.target.find('?'));
    return Reply(tools_, std::move(exchange), usable ? std::string(sent) : tools_.make_request_id(),
                 std::string(path), request);
}

bool ApiHandler::answer_from_cache(const net::Request& request, net::Exchange& exchange) {
    if (!is_read(request.method) || !request.authorization.empty()) return false;
    const PageCache::Answer* answer = tools_.pages.find(request.target);
    if (answer == nullptr) return false;
    Reply reply = make_reply(request, std::move(exchange));
    reply.allow_any_origin();
    if (!request.if_none_match.empty() && etag_matches(request.if_none_match, answer->etag)) {
        reply.empty(304, answer->headers);
    } else {
        reply.json(200, answer->body, answer->headers);
    }
    return true;
}

void ApiHandler::handle(const net::Request& request, net::Exchange exchange) {
    answer_reads_before(request.method);
    if (answer_from_cache(request, exchange)) return;
    const bool empty_stream = request.method == net::Method::kPost &&
                              is_submissions(request.target) &&
                              body_kind(request) == BodyKind::kNdjson;
    if (empty_stream) {
        if (const auto sink = handle_stream(request, std::move(exchange))) sink->on_end();
        return;
    }
    dispatch(request, std::move(exchange), true);
}

void ApiHandler::answer_options(const net::Request& request, Reply& reply, const Match& match) {
    std::string headers = "Allow: " + allow_list(match.methods) + "\r\n";
    if (!request.access_control_request_method.empty()) {
        // Reading is open to any page; what needs a secret key does not belong into one.
        headers +=
            "Access-Control-Allow-Origin: *\r\n"
            "Access-Control-Allow-Methods: GET, HEAD\r\n"
            "Access-Control-Allow-Headers: If-None-Match, Last-Event-ID, X-Request-Id\r\n"
            "Access-Control-Max-Age: 600\r\n";
    }
    reply.empty(204, headers);
}

Result<const Route*> ApiHandler::admit(const net::Request& request, Reply& reply,
                                       access::Caller& caller) {
    if (const auto parsed = tools_.target.parse(request.target); !parsed) return parsed.error();
    const Match match = find_route(request.method, tools_.target);
    if (!match.path_known) {
        return Error{
            ErrorCode::kRouteNotFound,
            "There is nothing at this path. The API begins at /v1/boards, which lists the boards."};
    }
    if (request.method == net::Method::kOptions) {
        answer_options(request, reply, match);
        return nullptr;
    }
    if (match.route == nullptr) {
        return Error{ErrorCode::kMethodNotAllowed,
                     "This path takes " + allow_list(match.methods) + "."};
    }
    if (match.route->any_origin) reply.allow_any_origin();
    auto identified = tools_.service.credentials.identify(request.authorization);
    if (!identified) return identified.error();
    caller = *identified;
    if (const auto may = check_scope(caller, match.route->scope); !may) return may.error();
    return match.route;
}

void ApiHandler::dispatch(const net::Request& request, net::Exchange exchange, bool may_wait) {
    Reply reply = make_reply(request, std::move(exchange));
    access::Caller caller;
    const auto route = admit(request, reply, caller);
    if (!route) {
        if (route.error().code == ErrorCode::kMethodNotAllowed) {
            return reply.problem(
                route.error(),
                "Allow: " + allow_list(find_route(request.method, tools_.target).methods) + "\r\n");
        }
        return reply.problem(route.error());
    }
    if (*route == nullptr) return;  // answered already
    if (may_wait && is_read(request.method) && wait_for_position(request, reply)) return;

    Call call{request, tools_.target, caller, std::move(reply)};
    if (!is_read(request.method)) {
        const auto known = call.check_parameters(split((*route)->parameters));
        if (!known) return call.reply.problem(known.error());
    }
    (*route)->handle(call);
}

bool ApiHandler::wait_for_position(const net::Request& request, Reply& reply) {
    const auto text = tools_.target.parameter("min_seq");
    if (!text) return false;
    engine::Engine& engine = tools_.service.engine;
    const std::size_t colon = text->find(':');
    base::Sequence seq;
    const std::string_view digits =
        colon == std::string_view::npos ? std::string_view{} : text->substr(colon + 1);
    const auto [at, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), seq.value);
    if (digits.empty() || failure != std::errc{} || at != digits.data() + digits.size()) {
        reply.problem({ErrorCode::kInvalid,
                       "`min_seq` is an epoch and a seq, like `k3:90412`, as an answer gave them.",
                       "?min_seq"});
        return true;
    }
    if (text->substr(0, colon) != engine.epoch()) {
        reply.problem(
            {ErrorCode::kEpochChanged, "The history was replaced since; the epoch is now '" +
                                           engine.epoch() + "'. Read anew without min_seq."});
        return true;
    }
    if (seq <= engine.applied_seq()) return false;

    auto again = [this](const net::Request& copy, net::Exchange exchange) {
        dispatch(copy, std::move(exchange), false);
    };
    std::unique_ptr<engine::Operation> read = std::make_unique<WaitingRead>(
        tools_, request, std::move(reply.exchange()), std::move(again));
    const auto id = engine.waits().add(seq, read);
    if (id == engine::PositionWaits::kNone) {
        net::Request copy = request;
        Reply refused = make_reply(copy, static_cast<WaitingRead&>(*read).take_exchange());
        refused.problem({ErrorCode::kOverloaded, "Too many reads wait for a position already."});
        return true;
    }
    tools_.loop.after(kMaxWait, [this, seq, id, request_id = reply.request_id(),
                                 path = std::string(tools_.target.path())] {
        auto late = tools_.service.engine.waits().cancel(seq, id);
        if (!late) return;
        auto& read_late = static_cast<WaitingRead&>(*late);
        Reply expired(tools_, read_late.take_exchange(), request_id, path, read_late.copy());
        expired.problem(
            {ErrorCode::kNotReached,
             "The server has not seen seq " + std::to_string(seq.value) + " within two seconds."});
    });
    return true;
}

std::unique_ptr<net::BodySink> ApiHandler::handle_stream(const net::Request& head,
                                                         net::Exchange exchange) {
    answer_reads_before(head.method);
    Reply reply = make_reply(head, std::move(exchange));
    access::Caller caller;
    const auto route = admit(head, reply, caller);
    if (!route || *route == nullptr) {
        if (!route) reply.problem(route.error());
        return nullptr;
    }
    Call call{head, tools_.target, caller, std::move(reply)};
    std::shared_ptr<engine::HostedBoard> board;
    const bool lines_name_boards = tools_.target.segment_count() == 2;  // /v1/submissions
    if (!lines_name_boards) {
        auto named = call.board();
        if (!named) return call.reply.problem(named.error()), nullptr;
        board = *std::move(named);
    }
    if (!head.content_encoding.empty()) {
        call.reply.problem({ErrorCode::kUnsupportedMediaType, "Send the stream uncompressed."});
        return nullptr;
    }
    const auto known = call.check_parameters({"receipts"});
    if (!known) return call.reply.problem(known.error()), nullptr;
    const auto receipts = tools_.target.parameter("receipts");
    LineReceipts told = LineReceipts::kNone;
    if (receipts == "lines") {
        told = LineReceipts::kAll;
    } else if (receipts == "problems") {
        told = LineReceipts::kProblems;
    } else if (receipts) {
        call.reply.problem(
            {ErrorCode::kInvalid, "`receipts` is `lines`, `problems`, or left out.", "?receipts"});
        return nullptr;
    }
    const auto key = call.idempotency_key();
    if (!key) return call.reply.problem(key.error()), nullptr;

    StreamOptions options{
        .receipts = told, .private_boards = caller.may(access::Scope::kReadPrivate), .key = {}};
    if (*key) options.key = (*key)->hash;
    call.reply.expect_long();
    return open_submission_stream(std::move(call.reply), std::move(board), options);
}

void ApiHandler::describe(const net::TransportProblem& problem, std::string& headers,
                          std::string& body) {
    const std::string id = tools_.make_request_id();
    append_problem(body, {transport_code(problem.status), std::string(problem.detail)}, {}, id);
    tools_.service.log->write(
        base::LogLevel::kDebug, "refused",
        {{"request_id", id}, {"status", problem.status}, {"detail", problem.detail}});
    headers += "X-Request-Id: " + id +
               "\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n";
    if (problem.status == 503 || problem.status == 429) headers += "Retry-After: 1\r\n";
}

}  // namespace

std::unique_ptr<net::Handler> make_handler(Service& service, net::Loop& loop) {
    return std::make_unique<ApiHandler>(service, loop);
}

}  // namespace standings::api
