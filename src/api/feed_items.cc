#include "api/feed_items.h"

#include <map>
#include <utility>

#include "api/call.h"
#include "api/standings_json.h"
#include "base/clock.h"
#include "engine/hosted_board.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using Board = std::shared_ptr<engine::HostedBoard>;

enum class Found : std::uint8_t {
    kYes,
    kGone,  // the item is not the board's any more
    kSoon,  // it is durable, and the board does not show it yet
};

// Fills in what the board knows.
Found look_up(const engine::HostedBoard& board, FeedItems::One& one) {
    const ledger::Event& event = one.item->event;
    return board.read([&](const engine::HostedBoard::View& view) {
        if (view.record.ranking != event.ranking) return Found::kGone;
        if (view.seq() < event.seq) return Found::kSoon;
        one.config = view.config;
        const bool is_there = view.board.has_player(event.slot) &&
                              view.board.player_id(event.slot) == one.item->player;
        const auto entry = is_there ? view.board.entry(event.slot) : std::nullopt;
        one.has_details = entry && entry->has_details;
        return Found::kYes;
    });
}

// The boards of a reading, each looked up once; none: not there, or not for everybody.
class Boards {
  public:
    explicit Boards(engine::Engine& engine) : engine_(engine) {}

    void know(Board board) { by_slug_.emplace(board->slug(), board); }
    const engine::HostedBoard* find(const std::string& slug) {
        const auto [at, is_new] = by_slug_.try_emplace(slug);
        if (is_new) {
            Board found = engine_.registry().find(slug);
            if (found && !found->deleted() && is_public(*found)) at->second = std::move(found);
        }
        return at->second.get();
    }

  private:
    engine::Engine& engine_;
    std::map<std::string, Board, std::less<>> by_slug_;
};

}  // namespace

std::optional<FeedItems> read_feed(engine::Engine& engine, std::string_view slug,
                                   std::size_t most) {
    Boards boards(engine);
    engine::FeedReading reading;
    if (slug.empty()) {
        reading = engine.feed().of_all();
    } else {
        const Board board = engine.registry().find(slug);
        if (!board) return std::nullopt;
        ledger::BoardRecord record;
        do {  // until no new life begins in between
            record = board->record();
            reading = engine.feed().of_board(record.ranking, record.seq);
        } while (board->record().ranking != record.ranking);
        if (board->deleted()) return std::nullopt;
        boards.know(board);
    }
    FeedItems items{.seq = reading.seq, .known_since = reading.known_since, .all = {}};
    for (engine::SharedFeedItem& item : reading.items) {
        const engine::HostedBoard* const board = boards.find(item->board);
        FeedItems::One one{
            .item = std::move(item), .config = {}, .has_details = false, .details = {}};
        const Found found = board != nullptr ? look_up(*board, one) : Found::kGone;
        if (found == Found::kSoon) {
            items.seq = {one.item->event.seq.value - 1};
            break;
        }
        if (found == Found::kYes) items.all.push_back(std::move(one));
    }
    if (items.all.size() > most) {
        const auto first = items.all.end() - static_cast<std::ptrdiff_t>(most);
        items.known_since = (first - 1)->item->event.seq;
        items.all.erase(items.all.begin(), first);
    }
    for (FeedItems::One& one : items.all) {
        if (one.has_details) one.details = engine.details().find(one.key(), one.item->player);
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
    const ledger::Event& event = one.item->event;
    out += '{';
    text::append_member(out, "board", one.item->board);
    out += ",\"seq\":";
    text::append_number(out, event.seq.value);
    out += ",\"outcome\":\"";
    out += outcome_name(event.outcome);
    out += "\",";
    text::append_member(out, "player", one.item->player);
    if (one.details && one.details->details.name) {
        out += ',';
        text::append_member(out, "name", *one.details->details.name);
    }
    out += ',';
    append_scores(out, *one.config, event.input);
    out += ",\"at\":\"";
    base::append_rfc3339(out, event.at);
    out += "\"}";
}

}  // namespace standings::api
