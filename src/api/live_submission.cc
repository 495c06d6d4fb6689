#include "api/live_submission.h"

#include <utility>

#include "api/board_terms.h"
#include "api/call.h"
#include "api/standings_json.h"
#include "api/submission_json.h"
#include "engine/operation.h"
#include "engine/queries.h"
#include "engine/read_pool.h"

namespace standings::api {
namespace {

using base::Error;
using base::Result;

// What is said once all of it is known.
struct Receipt {
    LoopTools* tools;
    std::string id;
    std::weak_ptr<LiveSubmitter> submitter;
    std::string player;
    engine::ChangeOutcome outcome;
    engine::ReceiptReading reading;
    bool replayed;

    void say(const ledger::Details* names) const {
        const auto hearer = submitter.lock();
        if (!hearer) return;
        std::string json;
        append_receipt(json, outcome, reading, player, names, tools->service.engine.epoch());
        hearer->on_receipt(id, json, replayed);
    }
};

// The name has left the cache.
class ReceiptName final : public engine::DetailsOperation {
  public:
    explicit ReceiptName(Receipt receipt)
        : DetailsOperation(receipt.tools->mailbox, receipt.tools->service.engine.details()),
          receipt_(std::move(receipt)) {
        keys.push_back({receipt_.reading.ranking, receipt_.reading.row->slot});
        players.push_back(receipt_.player);
    }
    // It is durable: a name that cannot be read is left out.
    void finished() override { receipt_.say(error ? nullptr : &details[0]->details); }
    const Receipt& receipt() const { return receipt_; }

  private:
    const Receipt receipt_;
};

class LiveSubmission final : public engine::EntryOperation {
  public:
    LiveSubmission(LoopTools& tools, std::shared_ptr<engine::HostedBoard> to, std::string id,
                   std::weak_ptr<LiveSubmitter> submitter)
        : EntryOperation(tools.mailbox, std::move(to)),
          tools_(tools),
          id_(std::move(id)),
          submitter_(std::move(submitter)) {}

    void finished() override {
        if (error) {
            if (!error->pointer.empty()) error->pointer.insert(0, "/submission");
            if (const auto hearer = submitter_.lock()) hearer->on_problem(id_, *error);
            return;
        }
        const std::string_view player = changes[0].player;
        Receipt receipt{.tools = &tools_,
                        .id = id_,
                        .submitter = submitter_,
                        .player = std::string(player),
                        .outcome = outcomes[0],
                        .reading = engine::read_receipt(board(), player, outcomes[0]),
                        .replayed = replayed};
        const auto& row = receipt.reading.row;
        if (!row || !row->has_details) return receipt.say(nullptr);
        engine::Engine& engine = tools_.service.engine;
        const auto cached = engine.details().find({receipt.reading.ranking, row->slot}, player);
        if (cached) return receipt.say(&cached->details);
        std::unique_ptr<engine::ReadOperation> read =
            std::make_unique<ReceiptName>(std::move(receipt));
        if (!engine.read(read)) static_cast<ReceiptName&>(*read).receipt().say(nullptr);
    }

  private:
    LoopTools& tools_;
    const std::string id_;
    const std::weak_ptr<LiveSubmitter> submitter_;
};

}  // namespace

Result<void> submit_live(LoopTools& tools, const SubmitMessage& message,
                         const access::Caller& caller, std::string id,
                         std::weak_ptr<LiveSubmitter> submitter) {
    if (const auto may = check_scope(caller, access::Scope::kSubmit); !may) {
        base::Error error = may.error();
        if (error.code == base::ErrorCode::kUnauthenticated) {
            error.detail =
                "This needs a key: open a socket whose first message is "
                "`{\"id\":1,\"op\":\"auth\",\"token\":\"st_sk_...\"}`.";
        }
        return error;
    }
    const auto board =
        visible_board(tools.service, message.board, caller.may(access::Scope::kReadPrivate));
    if (!board) return board.error();

    const Terms terms = terms_of(**board);
    auto submission =
        std::make_unique<LiveSubmission>(tools, *board, std::move(id), std::move(submitter));
    const auto change = read_submission(
        tools.json, *message.submission,
        {.config = *terms.config, .now = tools.service.engine.clock().now()}, *submission);
    if (!change) {
        Error error = change.error();
        error.pointer.insert(0, "/submission");
        return error;
    }
    add_change(*submission, terms, *change);
    if (message.idempotency_key) {
        // As of the same submission over HTTP, so that it may come again that way.
        const std::string target = "/v1/boards/" + (*board)->slug() + "/submissions";
        std::string body;
        tools.json.write(*message.submission, body);
        const auto key =
            request_key(tools.service, caller, *message.idempotency_key, {"POST", target, body});
        if (!key) {
            Error error = key.error();
            error.pointer = "/idempotency_key";
            return error;
        }
        submission->key = *key;
    }
    std::unique_ptr<engine::Operation> operation = std::move(submission);
    return tools.service.engine.submit(operation);
}

}  // namespace standings::api
