// Submissions: one object, or an array that counts as a whole. Streams are in submission_stream.
#include <optional>
#include <utility>

#include "api/board_terms.h"
#include "api/details_read.h"
#include "api/routes.h"
#include "api/standings_json.h"
#include "api/submission_json.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kMaxArray = 1000;

// Submissions, a PUT or a DELETE under way, and how they are answered.
class EntryRequest final : public engine::EntryOperation {
  public:
    enum class Answer : std::uint8_t {
        kReceipt,
        kReceiptWithBoard,  // of a request that named the board itself
        kReceipts,
        kStanding,
        kDeleted,
    };

    EntryRequest(Reply reply, std::shared_ptr<engine::HostedBoard> board, Answer answer)
        : EntryOperation(reply.tools().mailbox, std::move(board)),
          reply_(std::move(reply)),
          answer_(answer) {}

    void finished() override;
    Reply& reply() { return reply_; }

  private:
    void send_problem();
    void send_receipts();
    void send_receipt(int status, std::string_view headers);
    // What a receipt begins with.
    std::string opening() const;

    Reply reply_;
    Answer answer_;
};

void EntryRequest::finished() {
    if (error) return send_problem();
    const std::string_view headers = replayed ? "Idempotency-Replayed: true\r\n" : "";
    switch (answer_) {
        case Answer::kReceipt:
        case Answer::kReceiptWithBoard:
            return send_receipt(200, headers);
        case Answer::kStanding:
            return send_receipt(outcomes[0].outcome == ranking::Outcome::kCreated ? 201 : 200,
                                headers);
        case Answer::kReceipts:
            return send_receipts();
        case Answer::kDeleted:
            break;
    }
    std::string& body = reply_.tools().body;
    body.assign(outcomes[0].had_entry ? "{\"deleted\":1,\"seq\":" : "{\"deleted\":0,\"seq\":");
    text::append_number(body, outcomes[0].seq.value);
    body += ",\"epoch\":\"";
    body += reply_.tools().service.engine.epoch();
    body += "\"}\n";
    reply_.json(200, body, headers);
}

void EntryRequest::send_problem() {
    if (answer_ == Answer::kReceipts && !error->pointer.empty()) {
        error->pointer = '/' + std::to_string(failed_change) + error->pointer;
    }
    if (answer_ == Answer::kReceipts && error->pointer.empty() && changes.size() > 1 &&
        error->code == ErrorCode::kScoreOverflow) {
        error->pointer = '/' + std::to_string(failed_change);
    }
    reply_.problem(*error);
}

std::string EntryRequest::opening() const {
    if (answer_ != Answer::kReceiptWithBoard) return {};
    return "{\"board\":\"" + board().slug() + "\",";
}

void EntryRequest::send_receipt(int status, std::string_view headers) {
    engine::ReceiptReading reading = engine::read_receipt(board(), changes[0].player, outcomes[0]);
    LoopTools& tools = reply_.tools();
    engine::SharedDetails details;
    if (reading.row && reading.row->has_details) {
        details = tools.service.engine.details().find({reading.ranking, reading.row->slot},
                                                      changes[0].player);
    }
    const bool known = !reading.row || !reading.row->has_details || details;
    const auto render = [&](Reply& reply, const ledger::Details* names) {
        std::string& body = tools.body;
        body = opening();
        const std::size_t from = body.size();
        append_receipt(body, outcomes[0], reading, changes[0].player, names,
                       tools.service.engine.epoch());
        if (from > 0) body.erase(from, 1);  // the receipt's own brace
        body += '\n';
        reply.json(status, body, headers);
    };
    if (known) return render(reply_, details ? &details->details : nullptr);

    // The name has left the cache: a page of this one row brings it back.
    engine::Page& page = tools.page;
    const auto own = engine::read_standing(board(), changes[0].player, 0, page);
    if (!own) return render(reply_, nullptr);
    with_details(
        page, reply_,
        [status, replay = replayed, outcome = outcomes[0], reading, begin = opening(),
         player = std::string(changes[0].player)](const engine::Page& rows, Reply& reply) {
            std::string body = begin;
            append_receipt(body, outcome, reading, player, rows.details_of(0),
                           reply.tools().service.engine.epoch());
            if (!begin.empty()) body.erase(begin.size(), 1);
            body += '\n';
            reply.json(status, body, replay ? "Idempotency-Replayed: true\r\n" : "");
        },
        WithoutNames::kBareRows);
}

void EntryRequest::send_receipts() {
    LoopTools& tools = reply_.tools();
    std::string& body = tools.body;
    const std::string& epoch = tools.service.engine.epoch();
    body.assign("{\"items\":[");
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (i > 0) body += ',';
        const engine::ReceiptReading reading =
            engine::read_receipt(board(), changes[i].player, outcomes[i]);
        engine::SharedDetails details;
        if (reading.row && reading.row->has_details) {
            details = tools.service.engine.details().find({reading.ranking, reading.row->slot},
                                                          changes[i].player);
        }
        append_receipt(body, outcomes[i], reading, changes[i].player,
                       details ? &details->details : nullptr, epoch);
    }
    body += "],\"seq\":";
    text::append_number(body, outcomes.empty() ? board().seq().value : outcomes.back().seq.value);
    body += ",\"epoch\":\"" + epoch + "\"}\n";
    reply_.json(200, body, replayed ? "Idempotency-Replayed: true\r\n" : "");
}

void submit(Service& service, std::unique_ptr<EntryRequest> request) {
    const std::size_t weight = request->changes.size();
    std::unique_ptr<engine::Operation> operation = std::move(request);
    const auto taken =
        service.engine.submit(operation, engine::EntryOperation::Lane::kSingle, weight);
    if (!taken) static_cast<EntryRequest&>(*operation).reply().problem(taken.error());
}

Result<void> read_array(const text::JsonDocument& document, const text::JsonNode& root,
                        const Terms& terms, const SubmissionRules& rules,
                        engine::EntryOperation& operation) {
    if (root.size == 0 || root.size > kMaxArray) {
        return Error{root.size == 0 ? ErrorCode::kInvalid : ErrorCode::kTooLarge,
                     "An array has 1 to 1,000 submissions. Send more as an NDJSON stream."};
    }
    std::optional<Error> failure;
    document.for_each(root, [&](const text::JsonNode& item) {
        if (failure) return;
        auto change = read_submission(document, item, rules, operation);
        if (change) return add_change(operation, terms, *change);
        failure = change.error();
        failure->pointer = '/' + std::to_string(operation.changes.size()) + failure->pointer;
    });
    if (failure) return *failure;
    return {};
}

void post_submissions(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    const auto key = call.idempotency_key();
    if (!key) return call.reply.problem(key.error());
    const auto root = call.json_body();
    if (!root) return call.reply.problem(root.error());
    const bool array = (*root)->is_array();
    const Limits& limits = call.service().limits;
    const std::size_t most = array ? limits.max_array_bytes : limits.max_body_bytes;
    if (call.request.body.size() > most) {
        return call.reply.problem({ErrorCode::kTooLarge, (array ? "An array has at most "
                                                                : "One submission has at most ") +
                                                             std::to_string(most) + " bytes."});
    }

    LoopTools& tools = call.tools();
    const Terms terms = terms_of(**board);
    const SubmissionRules rules{*terms.config, tools.service.engine.clock().now()};
    auto request = std::make_unique<EntryRequest>(
        std::move(call.reply), *board,
        array ? EntryRequest::Answer::kReceipts : EntryRequest::Answer::kReceipt);
    request->key = *key;
    Result<void> read;
    if (array) {
        read = read_array(tools.json, **root, terms, rules, *request);
    } else {
        auto change = read_submission(tools.json, **root, rules, *request);
        if (change) {
            add_change(*request, terms, *change);
        } else {
            read = change.error();
        }
    }
    if (!read) return request->reply().problem(read.error());
    submit(tools.service, std::move(request));
}

// One submission that names its board. Streams of them are in submission_stream.
void post_anywhere(Call& call) {
    const auto key = call.idempotency_key();
    if (!key) return call.reply.problem(key.error());
    const auto root = call.json_body();
    if (!root) return call.reply.problem(root.error());
    if ((*root)->is_array()) {
        return call.reply.problem(
            {ErrorCode::kInvalid,
             "An array counts as a whole and names one board: POST it to "
             "/v1/boards/{board}/submissions, or send the items as NDJSON lines."});
    }
    const std::size_t most = call.service().limits.max_body_bytes;
    if (call.request.body.size() > most) {
        return call.reply.problem({ErrorCode::kTooLarge, "One submission has at most " +
                                                             std::to_string(most) + " bytes."});
    }
    LoopTools& tools = call.tools();
    const auto slug = read_board_name(tools.json, **root);
    if (!slug) return call.reply.problem(slug.error());
    const auto board = call.board(*slug);
    if (!board) return call.reply.problem(board.error());

    const Terms terms = terms_of(**board);
    auto request = std::make_unique<EntryRequest>(std::move(call.reply), *board,
                                                  EntryRequest::Answer::kReceiptWithBoard);
    request->key = *key;
    auto change = read_submission(
        tools.json, **root,
        {.config = *terms.config, .now = tools.service.engine.clock().now(), .names_board = true},
        *request);
    if (!change) return request->reply().problem(change.error());
    add_change(*request, terms, *change);
    submit(tools.service, std::move(request));
}

// The player that the path names.
Result<std::string_view> path_player(const Call& call) {
    const std::string_view player = call.target.segment(4);
    if (text::is_player_id(player)) return player;
    return Error{ErrorCode::kInvalid, "A player's id has 1 to 128 of A-Z, a-z, 0-9 and . _ : @ -"};
}

void put_player(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    const auto player = path_player(call);
    if (!player) return call.reply.problem(player.error());
    const auto root = call.json_body();
    if (!root) return call.reply.problem(root.error());

    LoopTools& tools = call.tools();
    const Terms terms = terms_of(**board);
    const SubmissionRules rules{*terms.config, tools.service.engine.clock().now()};
    auto request = std::make_unique<EntryRequest>(std::move(call.reply), *board,
                                                  EntryRequest::Answer::kStanding);
    auto change = read_exact_scores(tools.json, **root, rules, *player, *request);
    if (!change) return request->reply().problem(change.error());
    add_change(*request, terms, *change);
    submit(tools.service, std::move(request));
}

void delete_player(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    const auto player = path_player(call);
    if (!player) return call.reply.problem(player.error());

    Service& service = call.service();
    auto request = std::make_unique<EntryRequest>(std::move(call.reply), *board,
                                                  EntryRequest::Answer::kDeleted);
    engine::EntryChange change;
    change.board = &request->board();
    change.kind = ledger::EventKind::kRemove;
    change.player = request->keep(*player);
    request->changes.push_back(change);
    submit(service, std::move(request));
}

constexpr Route kSubmissionRoutes[] = {
    {net::Method::kPost, "/v1/boards/{board}/submissions", access::Scope::kSubmit,
     post_submissions},
    {net::Method::kPost, "/v1/submissions", access::Scope::kSubmit, post_anywhere},
};

constexpr Route kPlayerRoutes[] = {
    {net::Method::kPut, "/v1/boards/{board}/players/{player}", access::Scope::kModerate,
     put_player},
    {net::Method::kDelete, "/v1/boards/{board}/players/{player}", access::Scope::kModerate,
     delete_player},
};

}  // namespace

std::span<const Route> submission_routes() {
    return kSubmissionRoutes;
}
std::span<const Route> player_routes() {
    return kPlayerRoutes;
}

}  // namespace standings::api
