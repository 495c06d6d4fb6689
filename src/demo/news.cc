#include "demo/news.h"

#include <algorithm>
#include <set>
#include <utility>

#include "text/terminal_text.h"

namespace standings::demo {
namespace {

constexpr std::size_t kTopRows = 100;    // where guests are noticed
constexpr std::size_t kTellRows = 10;    // where players of the game are news
constexpr std::size_t kMostGuests = 20;  // followed on one board

std::string score_text(const engine::Page& page, std::size_t row) {
    const auto& columns = page.config->rules.columns;
    std::string text;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) text += '/';
        ranking::append_units(text, page.rows[row].scores.units[i], columns[i].decimals);
    }
    return text;
}

std::optional<std::size_t> place_in(const std::vector<std::string>& ids, std::string_view id) {
    const auto found = std::find(ids.begin(), ids.end(), id);
    if (found == ids.end()) return std::nullopt;
    return static_cast<std::size_t>(found - ids.begin());
}

}  // namespace

std::string tell(const News& news, std::size_t name_columns) {
    const bool you = news.player == kYou;
    const std::string who = you ? "you" : text::for_terminal(news.name, name_columns);
    const std::string place = '#' + std::to_string(news.position);
    switch (news.kind) {
        case News::Kind::kEntered:
            return who + " entered " + news.board + " at " + place + " with " + news.score;
        case News::Kind::kClimbed:
            return who + " climbed to " + place + " on " + news.board + " with " + news.score;
        case News::Kind::kPassed: {
            const std::string by = news.passed_by.empty()
                                       ? ""
                                       : " by " + text::for_terminal(news.passed_by, name_columns);
            return who + (you ? " were" : " was") + " passed" + by + " on " + news.board +
                   ", now at " + place;
        }
        case News::Kind::kLeader:
            return "new leader on " + news.board + ": " + who + " with " + news.score;
        case News::Kind::kTop:
            break;
    }
    return who + (you ? " are" : " is") + " now " + place + " on " + news.board + " with " +
           news.score;
}

std::vector<News> NewsRoom::look() {
    std::vector<News> news;
    engine_.registry().for_each(
        [&](engine::HostedBoard& board) { look_at(board, seen_[board.slug()], news); });
    std::stable_sort(news.begin(), news.end(), [](const News& a, const News& b) {
        return std::pair(a.kind, a.position) < std::pair(b.kind, b.position);
    });
    return news;
}

void NewsRoom::look_at(const engine::HostedBoard& board, Seen& seen, std::vector<News>& news) {
    engine::read_offset(board, 0, kTopRows, top_);
    std::vector<std::string> top;
    for (std::size_t row = 0; row < top_.rows.size(); ++row) top.emplace_back(top_.player(row));

    follow_guests(board, seen, top, news);
    for (std::size_t row = 0; row < std::min(kTellRows, top.size()) && seen.looked; ++row) {
        if (!is_player_id(top[row], players_)) continue;
        const auto before = place_in(seen.top, top[row]);
        if (before && *before <= row) continue;
        // Whoever only moves up since another one falls back has done nothing, but to lead.
        if (row > 0 && top_.rows[row].reached_seq <= seen.seq) continue;
        const auto kind = row == 0 ? News::Kind::kLeader : News::Kind::kTop;
        news.push_back(about(kind, board, top_, row));
    }
    seen.top = std::move(top);
    seen.seq = top_.seq;
    seen.looked = true;
}

void NewsRoom::follow_guests(const engine::HostedBoard& board, Seen& seen,
                             const std::vector<std::string>& top, std::vector<News>& news) {
    std::set<std::string> present{std::string(kYou)};
    for (const auto& [id, guest] : seen.guests) present.insert(id);
    for (const std::string& id : top) {
        if (present.size() >= kMostGuests) break;
        if (!is_player_id(id, players_)) present.insert(id);
    }
    for (const std::string& id : present) {
        const auto at = engine::read_standing(board, id, 0, own_);
        if (!at) {
            seen.guests.erase(id);
            continue;
        }
        const Guest now{own_.rows[*at].place.position.value, score_text(own_, *at)};
        const auto known = seen.guests.find(id);
        if (known == seen.guests.end()) {
            if (seen.looked) news.push_back(about(News::Kind::kEntered, board, own_, *at));
        } else if (known->second.score != now.score) {
            const bool ahead = now.position < known->second.position;
            news.push_back(
                about(ahead ? News::Kind::kClimbed : News::Kind::kTop, board, own_, *at));
        } else if (now.position > known->second.position && known->second.position <= kTopRows) {
            // Further down it would be told all the time.
            news.push_back(about(News::Kind::kPassed, board, own_, *at));
            news.back().passed_by = passer(seen, top, id);
        }
        seen.guests.insert_or_assign(id, now);
    }
}

// Who is ahead of `id` in `top` and was not at the last look.
std::string NewsRoom::passer(const Seen& seen, const std::vector<std::string>& top,
                             const std::string& id) {
    const auto own_before = place_in(seen.top, id);
    const auto own_now = place_in(top, id);
    if (!own_before || !own_now) return {};
    for (std::size_t row = *own_now; row-- > 0;) {
        const auto before = place_in(seen.top, top[row]);
        if (!before || *before > *own_before) return name_of(top_, row);
    }
    return {};
}

std::string NewsRoom::name_of(const engine::Page& page, std::size_t row) {
    if (page.rows[row].has_details) {
        const auto owned =
            engine_.details().find({page.ranking, page.rows[row].slot}, page.player(row));
        if (owned && owned->details.name) return *owned->details.name;
    }
    return std::string(page.player(row));
}

News NewsRoom::about(News::Kind kind, const engine::HostedBoard& board, const engine::Page& page,
                     std::size_t row) {
    return {.kind = kind,
            .board = board.slug(),
            .player = std::string(page.player(row)),
            .name = name_of(page, row),
            .position = page.rows[row].place.position.value,
            .score = score_text(page, row),
            .passed_by = {}};
}

}  // namespace standings::demo
