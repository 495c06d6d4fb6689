#include "api/board_views.h"

#include <algorithm>
#include <utility>

#include "api/feed_items.h"
#include "api/standings_json.h"
#include "base/check.h"

namespace standings::api {

class BoardViews::NamesRead final : public engine::DetailsOperation {
  public:
    NamesRead(BoardViews& views, live::View view)
        : DetailsOperation(views.home_, views.engine_.details()),
          views_(views),
          view_(std::move(view)) {}

    void finished() override {
        views_.asked_.erase(view_);
        if (view_.kind == live::ViewKind::kFeed) views_.answered_.insert(view_);
        // A row whose name cannot be read now is shown without it.
        for (std::size_t i = 0; i < keys.size(); ++i) {
            views_.arrived_.push_back(
                {keys[i], error ? engine::share_details(players[i], {}) : std::move(details[i])});
        }
    }

  private:
    BoardViews& views_;
    const live::View view_;
};

std::optional<live::ViewReader::BoardLook> BoardViews::look(std::string_view board) {
    // The feed of all public boards.
    if (board.empty()) {
        BoardLook look;
        look.seq = engine_.applied_seq();
        return look;
    }
    const auto found = engine_.registry().find(board);
    if (!found || found->deleted()) return std::nullopt;
    return found->read([this](const engine::HostedBoard::View& view) {
        BoardLook look{.seq = view.seq(),
                       .ranking = view.record.ranking,
                       .is_open = !view.record.closed,
                       .is_public = view.config->visibility == ledger::Visibility::kPublic,
                       .leader = {}};
        first_.clear();
        view.board.page(0, 1, first_);
        if (!first_.empty()) look.leader = view.board.player_id(first_[0].slot);
        return look;
    });
}

void BoardViews::read_rows(const engine::HostedBoard& board, const live::View& view,
                           engine::Page& page) {
    switch (view.kind) {
        case live::ViewKind::kTop:
            return engine::read_offset(board, 0, view.size, page);
        case live::ViewKind::kAround:
        case live::ViewKind::kPlayer:
            // Without an entry there are no rows.
            static_cast<void>(engine::read_standing(board, view.player, view.size, page));
            return;
        case live::ViewKind::kFeed:
            break;
    }
    CHECK(false);
}

live::ViewReader::Answer BoardViews::read(const live::View& view, live::Reading& reading) {
    if (view.kind == live::ViewKind::kFeed) return read_feed_items(view, reading);
    const auto board = engine_.registry().find(view.board);
    if (!board || board->deleted()) return Answer::kNoBoard;
    read_rows(*board, view, page_);
    if (!resolve(view)) return Answer::kLater;
    reading.seq = page_.seq;
    reading.total = page_.total;
    reading.rows.resize(page_.rows.size());
    for (std::size_t i = 0; i < page_.rows.size(); ++i) {
        reading.rows[i].player = page_.player(i);
        append_row(reading.rows[i].json, *page_.config, page_.rows[i], page_.player(i),
                   page_.details_of(i));
    }
    return Answer::kRead;
}

live::ViewReader::Answer BoardViews::read_feed_items(const live::View& view,
                                                     live::Reading& reading) {
    std::optional<FeedItems> items = read_feed(engine_, view.board, engine::Feed::kPerBoard);
    if (!items) return Answer::kNoBoard;
    std::vector<ledger::EntryKey> keys;
    std::vector<std::string> players;
    for (const std::size_t at : without_details(*items)) {
        FeedItems::One& one = items->all[at];
        one.details = find_details(one.key(), one.item->player);
        if (one.details) continue;
        keys.push_back(one.key());
        players.push_back(one.item->player);
    }
    // While names come others are missing already, on a busy board: those are left out.
    const bool have_come = answered_.erase(view) > 0;
    if (!keys.empty() && !have_come) {
        ask(view, std::move(keys), std::move(players));
        return Answer::kLater;
    }
    reading.seq = items->seq;
    reading.known_since = items->known_since;
    reading.items.resize(items->all.size());
    for (std::size_t i = 0; i < items->all.size(); ++i) {
        reading.items[i].seq = items->all[i].item->event.seq;
        append_feed_item(reading.items[i].json, items->all[i]);
    }
    return Answer::kRead;
}

engine::SharedDetails BoardViews::find_details(ledger::EntryKey key,
                                               std::string_view player) const {
    if (auto cached = engine_.details().find(key, player)) return cached;
    const auto arrived = std::ranges::find_if(arrived_, [&](const Arrived& one) {
        return one.key == key && one.details && one.details->player == player;
    });
    return arrived != arrived_.end() ? arrived->details : nullptr;
}

bool BoardViews::resolve(const live::View& view) {
    page_.details.assign(page_.rows.size(), nullptr);
    std::vector<ledger::EntryKey> keys;
    std::vector<std::string> players;
    for (std::size_t i = 0; i < page_.rows.size(); ++i) {
        if (!page_.rows[i].has_details) continue;
        const ledger::EntryKey key{page_.ranking, page_.rows[i].slot};
        page_.details[i] = find_details(key, page_.player(i));
        if (page_.details[i]) continue;
        keys.push_back(key);
        players.emplace_back(page_.player(i));
    }
    if (keys.empty()) return true;
    ask(view, std::move(keys), std::move(players));
    return false;
}

void BoardViews::ask(const live::View& view, std::vector<ledger::EntryKey> keys,
                     std::vector<std::string> players) {
    if (asked_.contains(view)) return;
    auto names = std::make_unique<NamesRead>(*this, view);
    names->keys = std::move(keys);
    names->players = std::move(players);
    std::unique_ptr<engine::ReadOperation> read = std::move(names);
    // Where too many reads wait, the hub asks again.
    if (engine_.read(read)) asked_.insert(view);
}

}  // namespace standings::api
