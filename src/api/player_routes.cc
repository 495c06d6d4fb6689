// A player on all boards at once: where they stand, and their removal.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/player_boards.h"
#include "api/routes.h"
#include "engine/operation.h"
#include "engine/read_pool.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kRemovalsAtOnce = 256;
constexpr auto kRetryFullLane = std::chrono::milliseconds(5);

Result<std::string_view> path_player(const Call& call) {
    const std::string_view player = call.target.segment(2);
    if (text::is_player_id(player)) return player;
    return Error{ErrorCode::kInvalid, "A player's id has 1 to 128 of A-Z, a-z, 0-9 and . _ : @ -"};
}

void get_player(Call& call) {
    const auto player = path_player(call);
    if (!player) return call.reply.problem(player.error());
    if (const auto known = call.check_parameters({"limit", "cursor", "min_seq"}); !known) {
        return call.reply.problem(known.error());
    }
    const auto limit = call.number("limit", 50, 1, 1000);
    if (!limit) return call.reply.problem(limit.error());
    answer_player_boards(std::move(call.reply),
                         {.player = std::string(*player),
                          .after = std::string(call.target.parameter("cursor").value_or("")),
                          .limit = static_cast<std::size_t>(*limit),
                          .private_too = call.caller.may(access::Scope::kReadPrivate),
                          .headers = {}});
}

class Removal;

// Looks for the player's boards, on a worker.
class FindBoards final : public engine::ReadOperation {
  public:
    FindBoards(engine::Mailbox& home, std::shared_ptr<Removal> owner)
        : ReadOperation(home), removal_(std::move(owner)) {}
    void run(ledger::LedgerReader& reader) override;
    void finished() override;

    std::vector<std::shared_ptr<engine::HostedBoard>> boards;

  private:
    std::shared_ptr<Removal> removal_;
};

class RemoveSome final : public engine::EntryOperation {
  public:
    RemoveSome(engine::Mailbox& home, std::shared_ptr<Removal> owner)
        : EntryOperation(home), removal_(std::move(owner)) {
        atomic = false;
    }
    void finished() override;

  private:
    std::shared_ptr<Removal> removal_;
};

// Takes a player off all boards, some at a time. What was removed stays removed when the rest
// fails; the same request again goes on. Its loop's thread only.
class Removal : public std::enable_shared_from_this<Removal> {
  public:
    Removal(Reply reply, std::string player)
        : reply_(std::move(reply)), player_(std::move(player)) {}

    const std::string& player() const { return player_; }
    const Service& service() const { return reply_.tools().service; }

    void start();
    void found(std::vector<std::shared_ptr<engine::HostedBoard>> boards);
    void fail(const base::Error& error) { reply_.problem(error); }
    void removed(const RemoveSome& some);

  private:
    void remove_next();
    void push(std::unique_ptr<engine::Operation> operation, std::size_t changes);
    void answer();

    Reply reply_;
    const std::string player_;
    std::vector<std::shared_ptr<engine::HostedBoard>> boards_;
    std::size_t next_ = 0;
    std::size_t deleted_ = 0;
    std::string seqs_;  // "a":7,"b":9
};

void FindBoards::run(ledger::LedgerReader&) {
    for_each_board(removal_->service().engine.registry(), {}, [this](const auto& board) {
        const bool is_there = board->read([this](const engine::HostedBoard::View& view) {
            const auto slot = view.board.find(removal_->player());
            return slot && view.board.entry(*slot);
        });
        if (is_there) boards.push_back(board);
        return true;
    });
}

void FindBoards::finished() {
    if (error) return removal_->fail(*error);
    removal_->found(std::move(boards));
}

void RemoveSome::finished() {
    removal_->removed(*this);
}

void Removal::start() {
    std::unique_ptr<engine::ReadOperation> find =
        std::make_unique<FindBoards>(reply_.tools().mailbox, shared_from_this());
    const auto taken = reply_.tools().service.engine.read_slowly(find);
    if (!taken) reply_.problem(taken.error());
}

void Removal::found(std::vector<std::shared_ptr<engine::HostedBoard>> boards) {
    boards_ = std::move(boards);
    remove_next();
}

void Removal::remove_next() {
    if (next_ == boards_.size()) return answer();
    auto some = std::make_unique<RemoveSome>(reply_.tools().mailbox, shared_from_this());
    const std::string_view player = some->keep(player_);
    const std::size_t end = std::min(boards_.size(), next_ + kRemovalsAtOnce);
    for (; next_ < end; ++next_) {
        engine::EntryChange change;
        change.board = some->keep(boards_[next_]);
        change.kind = ledger::EventKind::kRemove;
        change.player = player;
        some->changes.push_back(change);
    }
    const std::size_t changes = some->changes.size();
    push(std::move(some), changes);
}

void Removal::push(std::unique_ptr<engine::Operation> operation, std::size_t changes) {
    const auto taken = reply_.tools().service.engine.submit(
        operation, engine::EntryOperation::Lane::kBulk, changes);
    if (taken) return;
    if (taken.error().code != ErrorCode::kOverloaded) return reply_.problem(taken.error());
    auto waiting = std::make_shared<std::unique_ptr<engine::Operation>>(std::move(operation));
    reply_.tools().loop.after(kRetryFullLane, [self = shared_from_this(), waiting, changes] {
        self->push(std::move(*waiting), changes);
    });
}

void Removal::removed(const RemoveSome& some) {
    if (some.error) return reply_.problem(*some.error);
    for (std::size_t i = 0; i < some.changes.size(); ++i) {
        const engine::ChangeOutcome& outcome = some.outcomes[i];
        // A board that was deleted meanwhile has nobody on it.
        if (outcome.error && outcome.error->code != ErrorCode::kBoardNotFound) {
            return reply_.problem(*outcome.error);
        }
        if (outcome.error || !outcome.had_entry) continue;
        ++deleted_;
        if (!seqs_.empty()) seqs_ += ',';
        text::append_key(seqs_, some.changes[i].board->slug());
        text::append_number(seqs_, outcome.seq.value);
    }
    remove_next();
}

void Removal::answer() {
    std::string& body = reply_.tools().body;
    body.assign("{\"deleted\":");
    text::append_number(body, deleted_);
    body += ",\"seqs\":{" + seqs_ + "},\"epoch\":\"";
    body += reply_.tools().service.engine.epoch();
    body += "\"}\n";
    reply_.json(200, body, "Cache-Control: no-store\r\n");
}

void delete_player(Call& call) {
    const auto player = path_player(call);
    if (!player) return call.reply.problem(player.error());
    std::make_shared<Removal>(std::move(call.reply), std::string(*player))->start();
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/v1/players/{player}", access::Scope::kNone, get_player, true},
    {net::Method::kDelete, "/v1/players/{player}", access::Scope::kModerate, delete_player},
};

}  // namespace

std::span<const Route> players_routes() {
    return kRoutes;
}

}  // namespace standings::api
