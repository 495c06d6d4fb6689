#include "api/feed_items.h"

#include <map>
#include <utility>

#include "api/call.h"
#include "api/ledger_json.h"
#include "engine/hosted_board.h"
#include "engine/ledger_queries.h"

namespace standings::api {
namespace {

// Fills in what the board knows. False: the item is not the board's any more.
bool look_up(const engine::HostedBoard& board, FeedItems::One& one) {
    const ledger::Event& event = one.item.event;
    return board.read([&](const engine::HostedBoard::View& view) {
        if (view.record.ranking != event.ranking) return false;
        one.config = view.config;
        const bool is_there = view.board.has_player(event.slot) &&
                              view.board.player_id(event.slot) == one.item.player;
        const auto entry = is_there ? view.board.entry(event.slot) : std::nullopt;
        one.has_details = entry && entry->has_details;
        return true;
    });
}

}  // namespace

FeedItems read_feed(engine::Engine& engine, std::string_view board, std::size_t most) {
    using Board = std::shared_ptr<engine::HostedBoard>;
    std::map<std::string, Board, std::less<>> boards;
    engine::FeedReading reading;
    if (board.empty()) {
        reading = engine.feed().of_all(most);
    } else {
        Board one = engine.registry().find(board);
        if (!one || one->deleted())
            return {.seq = engine.feed().seq(), .known_since = {}, .all = {}};
        reading = engine.feed().of_board(one->record().ranking, most);
        boards.emplace(board, std::move(one));
    }
    FeedItems items{.seq = reading.seq, .known_since = reading.known_since, .all = {}};
    for (engine::FeedItem& item : reading.items) {
        auto at = boards.find(item.board);
        if (at == boards.end()) {
            // It may be gone, or private by now.
            Board found = engine.registry().find(item.board);
            if (found && (found->deleted() || !is_public(*found))) found = nullptr;
            at = boards.emplace(item.board, std::move(found)).first;
        }
        FeedItems::One one{
            .item = std::move(item), .config = {}, .has_details = false, .details = {}};
        if (!at->second || !look_up(*at->second, one)) continue;
        if (one.has_details) one.details = engine.details().find(one.key(), one.item.player);
        items.all.push_back(std::move(one));
    }
    return items;
}

std::vector<std::size_t> without_details(const FeedItems& items) {
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < items.all.size(); ++i) {
        if (items.all[i].has_details && !items.all[i].details) missing.push_back(i);
    }
    return missing;
}

void append_feed_item(std::string& out, const FeedItems::One& one) {
    engine::LedgerItem item{.event = one.item.event, .player = one.item.player, .name = {}};
    if (one.details) item.name = one.details->details.name;
    append_ledger_item(out, *one.config, item, one.item.board);
}

}  // namespace standings::api
