#include "api/player_boards.h"

#include <utility>
#include <vector>

#include "api/standings_json.h"
#include "engine/queries.h"
#include "engine/read_pool.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::ErrorCode;

constexpr std::size_t kBoardsAtOnce = 1000;

// How many of a hundred entries this one is at least as good as, to two decimals, rounded down.
std::int64_t percentile_units(base::Rank rank, std::size_t total) {
    const std::size_t not_ahead = total - (rank.value - 1);
    return static_cast<std::int64_t>(not_ahead * 10'000 / total);
}

class PlayerBoardsRead final : public engine::ReadOperation {
  public:
    PlayerBoardsRead(Reply reply, PlayerBoardsView view)
        : ReadOperation(reply.tools().mailbox), reply_(std::move(reply)), view_(std::move(view)) {}

    void run(ledger::LedgerReader& reader) override;
    void finished() override;
    Reply& reply() { return reply_; }

  private:
    struct Found {
        std::shared_ptr<engine::HostedBoard> board;
        engine::Page page;  // of one row
    };

    void resolve_names(ledger::LedgerReader& reader);
    void append_item(std::string& out, const Found& found) const;

    Reply reply_;
    const PlayerBoardsView view_;
    std::vector<Found> found_;
    bool more_ = false;
};

void PlayerBoardsRead::run(ledger::LedgerReader& reader) {
    for_each_board(reply_.tools().service.engine.registry(), view_.after,
                   [this](const auto& board) {
                       if (!view_.private_too && !is_public(*board)) return true;
                       engine::Page page;
                       if (!engine::read_standing(*board, view_.player, 0, page)) return true;
                       found_.push_back({board, std::move(page)});
                       more_ = found_.size() == view_.limit;
                       return !more_;
                   });
    resolve_names(reader);
}

void PlayerBoardsRead::resolve_names(ledger::LedgerReader& reader) {
    engine::DetailsCache& cache = reply_.tools().service.engine.details();
    std::vector<ledger::EntryKey> keys;
    std::vector<engine::Page*> missing;
    for (Found& found : found_) {
        engine::Page& page = found.page;
        page.details.resize(1);
        if (!page.rows[0].has_details) continue;
        const ledger::EntryKey key{page.ranking, page.rows[0].slot};
        page.details[0] = cache.find(key, view_.player);
        if (page.details[0]) continue;
        keys.push_back(key);
        missing.push_back(&page);
    }
    const std::vector<std::string> players(keys.size(), view_.player);
    auto details = engine::read_details(reader, cache, keys, players);
    if (!details) {
        error = details.error();
        return;
    }
    for (std::size_t i = 0; i < missing.size(); ++i) missing[i]->details[0] = (*details)[i];
}

void PlayerBoardsRead::append_item(std::string& out, const Found& found) const {
    const engine::Page& page = found.page;
    out += "{\"board\":\"" + found.board->slug() + "\",\"seq\":";
    text::append_number(out, page.seq.value);
    out += ",\"total\":";
    text::append_number(out, page.total);
    out += ',';
    const std::size_t from = out.size();
    append_row(out, *page.config, page.rows[0], view_.player, page.details_of(0),
               view_.private_too);
    out.erase(from, 1);
    out.back() = ',';
    text::append_key(out, "percentile");
    ranking::append_units(out, percentile_units(page.rows[0].place.rank, page.total), 2);
    out += '}';
}

void PlayerBoardsRead::finished() {
    if (error) return reply_.problem(*error);
    if (found_.empty() && view_.after.empty()) {
        return reply_.problem({ErrorCode::kPlayerNotFound,
                               "This player has no entry on any board that you may see."});
    }
    std::string& body = reply_.tools().body;
    body.assign("{\"player\":\"" + view_.player + "\",\"epoch\":\"");
    body += reply_.tools().service.engine.epoch();
    body += "\",\"items\":[";
    for (std::size_t i = 0; i < found_.size(); ++i) {
        if (i > 0) body += ',';
        append_item(body, found_[i]);
    }
    body += ']';
    if (more_) body += ",\"next_cursor\":\"" + found_.back().board->slug() + '"';
    body += "}\n";
    reply_.json(200, body,
                view_.headers + "Vary: Authorization\r\n" +
                    (view_.private_too ? "Cache-Control: private, no-cache\r\n"
                                       : "Cache-Control: public, max-age=1\r\n"));
}

}  // namespace

void for_each_board(const engine::Registry& registry, std::string after,
                    const std::function<bool(const std::shared_ptr<engine::HostedBoard>&)>& visit) {
    while (true) {
        const auto slice =
            registry.list(after, kBoardsAtOnce, [](const engine::HostedBoard&) { return true; });
        for (const auto& board : slice) {
            if (!visit(board)) return;
        }
        if (slice.size() < kBoardsAtOnce) return;
        after = slice.back()->slug();
    }
}

void answer_player_boards(Reply reply, PlayerBoardsView view) {
    Service& service = reply.tools().service;
    std::unique_ptr<engine::ReadOperation> read =
        std::make_unique<PlayerBoardsRead>(std::move(reply), std::move(view));
    const auto taken = service.engine.read_slowly(read);
    if (!taken) static_cast<PlayerBoardsRead&>(*read).reply().problem(taken.error());
}

}  // namespace standings::api
