// The last submissions, from memory.
#include <memory>
#include <optional>
#include <utility>

#include "api/feed_items.h"
#include "api/routes.h"
#include "engine/read_pool.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

void send(Reply& reply, std::string_view board, const FeedItems& items) {
    LoopTools& tools = reply.tools();
    std::string& body = tools.body;
    body = "{";
    if (!board.empty()) {
        text::append_member(body, "board", board);
        body += ',';
    }
    text::append_member(body, "epoch", tools.service.engine.epoch());
    body += ",\"seq\":";
    text::append_number(body, items.seq.value);
    body += ",\"items\":[";
    for (std::size_t i = 0; i < items.all.size(); ++i) {
        if (i > 0) body += ',';
        append_feed_item(body, items.all[i]);
    }
    body += "]}\n";
    reply.json(200, body, "Cache-Control: no-store\r\n");
}

// Names that have left the cache come from the disk.
class FeedNames final : public engine::DetailsOperation {
  public:
    FeedNames(Reply reply, std::string board, FeedItems items, std::vector<std::size_t> missing)
        : DetailsOperation(reply.tools().mailbox, reply.tools().service.engine.details()),
          reply_(std::move(reply)),
          board_(std::move(board)),
          items_(std::move(items)),
          missing_(std::move(missing)) {
        for (const std::size_t at : missing_) {
            keys.push_back(items_.all[at].key());
            players.push_back(items_.all[at].item->player);
        }
    }

    void finished() override {
        if (error) return reply_.problem(*error);
        for (std::size_t i = 0; i < missing_.size(); ++i) {
            items_.all[missing_[i]].details = std::move(details[i]);
        }
        send(reply_, board_, items_);
    }
    Reply& reply() { return reply_; }

  private:
    Reply reply_;
    const std::string board_;
    FeedItems items_;
    const std::vector<std::size_t> missing_;
};

void answer(Call& call, std::string_view board) {
    if (const auto known = call.check_parameters({"limit", "min_seq"}); !known) {
        return call.reply.problem(known.error());
    }
    const auto limit = call.number("limit", 5, 1, engine::Feed::kPerBoard);
    if (!limit) return call.reply.problem(limit.error());
    engine::Engine& engine = call.service().engine;
    std::optional<FeedItems> items = read_feed(engine, board, static_cast<std::size_t>(*limit));
    if (!items) {
        return call.reply.problem(
            {base::ErrorCode::kBoardNotFound, "There is no board of this name."});
    }
    std::vector<std::size_t> missing = without_details(*items);
    if (missing.empty()) return send(call.reply, board, *items);
    auto names = std::make_unique<FeedNames>(std::move(call.reply), std::string(board),
                                             *std::move(items), std::move(missing));
    std::unique_ptr<engine::ReadOperation> read = std::move(names);
    const auto taken = engine.read(read);
    if (!taken) static_cast<FeedNames&>(*read).reply().problem(taken.error());
}

void get_board_feed(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    answer(call, (*board)->slug());
}

void get_feed(Call& call) {
    answer(call, {});
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/v1/boards/{board}/feed", access::Scope::kNone, get_board_feed, true},
    {net::Method::kGet, "/v1/feed", access::Scope::kNone, get_feed, true},
};

}  // namespace

std::span<const Route> feed_routes() {
    return kRoutes;
}

}  // namespace standings::api
