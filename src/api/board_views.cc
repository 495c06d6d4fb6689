#include "api/board_views.h"

#include <algorithm>
#include <utility>

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
    }
    CHECK(false);
}

live::ViewReader::Answer BoardViews::read(const live::View& view, live::Reading& reading) {
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

engine::SharedDetails BoardViews::find_details(std::size_t row) {
    const ledger::EntryKey key{page_.ranking, page_.rows[row].slot};
    const std::string_view player = page_.player(row);
    if (auto cached = engine_.details().find(key, player)) return cached;
    const auto arrived = std::ranges::find_if(arrived_, [&](const Arrived& one) {
        return one.key == key && one.details && one.details->player == player;
    });
    return arrived != arrived_.end() ? arrived->details : nullptr;
}

bool BoardViews::resolve(const live::View& view) {
    page_.details.assign(page_.rows.size(), nullptr);
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < page_.rows.size(); ++i) {
        if (!page_.rows[i].has_details) continue;
        page_.details[i] = find_details(i);
        if (!page_.details[i]) missing.push_back(i);
    }
    if (missing.empty()) return true;
    if (asked_.contains(view)) return false;

    auto names = std::make_unique<NamesRead>(*this, view);
    for (const std::size_t row : missing) {
        names->keys.push_back({page_.ranking, page_.rows[row].slot});
        names->players.emplace_back(page_.player(row));
    }
    std::unique_ptr<engine::ReadOperation> read = std::move(names);
    if (engine_.read(read)) asked_.insert(view);
    return false;  // where too many reads wait, the hub asks again
}

}  // namespace standings::api
