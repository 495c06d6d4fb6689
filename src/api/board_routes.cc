// Boards: make, read, list, change, and the steps of their life.
#include <charconv>
#include <optional>
#include <utility>

#include "api/board_json.h"
#include "api/problem.h"
#include "api/routes.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::ErrorCode;
using base::Result;
using ledger::EventKind;

std::string revision_tag(const engine::HostedBoard& board) {
    return '"' + std::to_string(board.read([](const engine::HostedBoard::View& view) {
               return view.record.revision;
           })) +
           '"';
}

void send_board(Reply& reply, int status, const engine::HostedBoard& board,
                std::string headers = {}) {
    std::string& body = reply.tools().body;
    body.clear();
    append_board(body, board, reply.tools().service.engine.epoch());
    body += '\n';
    headers += "ETag: " + revision_tag(board) + "\r\nCache-Control: no-cache\r\n";
    reply.json(status, body, headers);
}

std::string_view what_happened(EventKind kind) {
    switch (kind) {
        case EventKind::kBoardCreated:
            return "board created";
        case EventKind::kBoardReset:
            return "board reset";
        case EventKind::kBoardClosed:
            return "board closed";
        case EventKind::kBoardReopened:
            return "board reopened";
        case EventKind::kBoardDeleted:
            return "board removed";
        default:
            return "board changed";
    }
}

// A change of a board under way, and how it is answered.
class BoardRequest final : public engine::BoardOperation {
  public:
    explicit BoardRequest(Reply reply)
        : BoardOperation(reply.tools().mailbox), reply_(std::move(reply)) {}

    void finished() override {
        if (error) return reply_.problem(*error);
        if (!replayed) {
            reply_.tools().service.log->write(
                base::LogLevel::kInfo, what_happened(kind),
                {{"board", slug}, {"request_id", reply_.request_id()}});
        }
        std::string headers;
        if (replayed) headers = "Idempotency-Replayed: true\r\n";
        if (kind == EventKind::kBoardDeleted) return reply_.empty(204, headers);
        if (kind != EventKind::kBoardCreated) return send_board(reply_, 200, *board, headers);
        headers += "Location: /v1/boards/" + slug + "\r\n";
        send_board(reply_, 201, *board, headers);
    }
    Reply& reply() { return reply_; }

  private:
    Reply reply_;
};

void submit(Service& service, std::unique_ptr<BoardRequest> request) {
    std::unique_ptr<engine::Operation> operation = std::move(request);
    const auto taken = service.engine.submit(operation);
    if (!taken) static_cast<BoardRequest&>(*operation).reply().problem(taken.error());
}

void create_board(Call& call) {
    const auto root = call.json_body();
    if (!root) return call.reply.problem(root.error());
    auto board = read_new_board(call.tools().json, **root);
    if (!board) return call.reply.problem(board.error());
    const auto key = call.idempotency_key();
    if (!key) return call.reply.problem(key.error());

    Service& service = call.service();
    auto request = std::make_unique<BoardRequest>(std::move(call.reply));
    request->kind = EventKind::kBoardCreated;
    request->slug = std::move(board->slug);
    request->config = std::move(board->config);
    request->key = *key;
    submit(service, std::move(request));
}

void list_boards(Call& call) {
    if (const auto known = call.check_parameters({"limit", "cursor", "min_seq"}); !known) {
        return call.reply.problem(known.error());
    }
    const auto limit = call.number("limit", 50, 1, 1000);
    if (!limit) return call.reply.problem(limit.error());
    const std::string_view after = call.target.parameter("cursor").value_or("");
    if (!after.empty() && !text::is_slug(after)) {
        return call.reply.problem(
            {ErrorCode::kInvalid, "`cursor` is not one of this list.", "?cursor"});
    }
    const bool all = call.caller.may(access::Scope::kReadPrivate);
    const auto wanted = [all](const engine::HostedBoard& board) {
        return all || board.read([](const engine::HostedBoard::View& view) {
            return view.config->visibility == ledger::Visibility::kPublic;
        });
    };
    const auto boards =
        call.service().engine.registry().list(after, static_cast<std::size_t>(*limit) + 1, wanted);
    const std::size_t shown = std::min(boards.size(), static_cast<std::size_t>(*limit));

    std::string& body = call.tools().body;
    body.assign("{\"items\":[");
    for (std::size_t i = 0; i < shown; ++i) {
        if (i > 0) body += ',';
        append_board(body, *boards[i], call.service().engine.epoch());
    }
    body += ']';
    if (shown < boards.size()) {
        body += ',';
        text::append_member(body, "next_cursor", boards[shown - 1]->slug());
    }
    body += "}\n";
    call.reply.json(200, body, "Cache-Control: no-cache\r\n");
}

void get_board(Call& call) {
    if (const auto known = call.check_parameters({"min_seq"}); !known) {
        return call.reply.problem(known.error());
    }
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    // The resource shows its seq too, so only If-None-Match of a board at rest may be answered so;
    // the revision alone would hide that scores came in.
    send_board(call.reply, 200, **board);
}

// The revision that If-Match names; none without the header or for "*".
Result<std::optional<std::uint32_t>> expected_revision(const Call& call) {
    const std::string_view sent = call.request.if_match;
    if (sent.empty() || sent == "*") return std::optional<std::uint32_t>{};
    std::uint32_t revision = 0;
    const bool quoted = sent.size() > 2 && sent.front() == '"' && sent.back() == '"';
    const char* end = sent.data() + sent.size() - 1;
    const auto [at, failure] =
        quoted ? std::from_chars(sent.data() + 1, end, revision) : std::from_chars_result{end, {}};
    // An ETag that was never given is one that does not match: revision 0 never is.
    return std::optional(failure == std::errc{} && at == end ? revision : 0);
}

void patch_board_route(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    const auto root = call.json_body();
    if (!root) return call.reply.problem(root.error());
    const auto expected = expected_revision(call);
    if (!expected) return call.reply.problem(expected.error());
    const ledger::BoardRecord present = (*board)->record();
    if (*expected && **expected != present.revision) {
        return call.reply.problem({ErrorCode::kRevisionMismatch,
                                   "The board is at revision " + std::to_string(present.revision) +
                                       ". Read it again and repeat your change."});
    }
    auto patched = patch_board(present.config, present.slug, call.tools().json, **root);
    if (!patched) return call.reply.problem(patched.error());

    Service& service = call.service();
    auto request = std::make_unique<BoardRequest>(std::move(call.reply));
    request->kind = EventKind::kBoardChanged;
    request->slug = present.slug;
    request->config = *std::move(patched);
    // What it was made from, whether the client named it or not.
    request->expected_revision = present.revision;
    submit(service, std::move(request));
}

template <EventKind kKind>
void change_life(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    const auto expected = expected_revision(call);
    if (!expected) return call.reply.problem(expected.error());
    const auto key = call.idempotency_key();
    if (!key) return call.reply.problem(key.error());

    Service& service = call.service();
    auto request = std::make_unique<BoardRequest>(std::move(call.reply));
    request->kind = kKind;
    request->slug = (*board)->slug();
    request->expected_revision = *expected;
    request->key = *key;
    submit(service, std::move(request));
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/v1/boards", access::Scope::kNone, list_boards, true},
    {net::Method::kPost, "/v1/boards", access::Scope::kBoards, create_board},
    {net::Method::kGet, "/v1/boards/{board}", access::Scope::kNone, get_board, true},
    {net::Method::kPatch, "/v1/boards/{board}", access::Scope::kBoards, patch_board_route},
    {net::Method::kDelete, "/v1/boards/{board}", access::Scope::kBoards,
     change_life<EventKind::kBoardDeleted>},
    {net::Method::kPost, "/v1/boards/{board}/reset", access::Scope::kBoards,
     change_life<EventKind::kBoardReset>},
    {net::Method::kPost, "/v1/boards/{board}/close", access::Scope::kBoards,
     change_life<EventKind::kBoardClosed>},
    {net::Method::kPost, "/v1/boards/{board}/reopen", access::Scope::kBoards,
     change_life<EventKind::kBoardReopened>},
};

}  // namespace

std::span<const Route> board_routes() {
    return kRoutes;
}

}  // namespace standings::api
