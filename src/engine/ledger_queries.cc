#include "engine/ledger_queries.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "engine/player_chain.h"
#include "engine/take_back.h"
#include "ledger/take_back.h"

namespace standings::engine {
namespace {

using base::Result;
using base::Sequence;
using ledger::Event;
using ledger::EventKind;

constexpr auto kScanTime = std::chrono::seconds(1);
constexpr auto kReadTime = std::chrono::seconds(2);
constexpr std::size_t kMaxStory = 100'000;
// Ranks read under one hold of the board's lock.
constexpr std::size_t kRanksAtOnce = 64;

ledger::EntryKey key_of(const Event& event) {
    return {event.ranking, event.slot};
}

// The seqs of a slot's present player, down to `oldest`.
Result<std::set<Sequence>> own_events(ledger::LedgerReader& reader, const HostedBoard& board,
                                      ledger::EntryKey key, Sequence oldest) {
    std::set<Sequence> own;
    const auto head = read_chain_head(board, key);
    if (!head) return own;
    PlayerChain chain(reader, key, head->last_seq);
    for (Event event; own.empty() || *own.begin() > oldest;) {
        const auto more = chain.next(event);
        if (!more) return more.error();
        if (!*more) break;
        own.insert(event.seq);
    }
    return own;
}

// Whose the events are, and which of them were taken back. A slot is given again once its player
// is gone, so behind a removal only the chain tells whose an event is.
Result<void> resolve(ledger::LedgerReader& reader, const HostedBoard& board,
                     std::vector<LedgerItem>& items) {
    if (items.empty()) return {};
    std::vector<ledger::EntryKey> keys;
    Sequence oldest = items[0].event.seq;
    for (const LedgerItem& item : items) {
        keys.push_back(key_of(item.event));
        oldest = std::min(oldest, item.event.seq);
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    // In this order: who comes into a slot meanwhile comes behind a removal that is seen.
    const auto players = reader.details(keys);
    if (!players) return players.error();
    const auto undoings = reader.undoings(keys, oldest);
    if (!undoings) return undoings.error();

    std::vector<std::vector<const Event*>> by_key(keys.size());
    const auto index_of = [&](const Event& event) {
        return static_cast<std::size_t>(std::lower_bound(keys.begin(), keys.end(), key_of(event)) -
                                        keys.begin());
    };
    for (const Event& undoing : *undoings) by_key[index_of(undoing)].push_back(&undoing);
    std::vector<std::optional<std::set<Sequence>>> own(keys.size());
    for (LedgerItem& item : items) {
        const std::size_t at = index_of(item.event);
        // A removal itself is of the one who went.
        bool removed = ledger::removes_entry(item.event);
        for (const Event* undoing : by_key[at]) {
            if (undoing->seq <= item.event.seq) continue;
            removed |= ledger::removes_entry(*undoing);
            item.taken_back |= item.event.kind == EventKind::kSubmit &&
                               undoing->kind == EventKind::kTakenBack &&
                               ledger::takes_back(ledger::take_back_of(*undoing), item.event.seq);
        }
        const ledger::PlayerRecord& player = (*players)[at];
        if (player.player.empty()) continue;
        if (removed && !own[at]) {
            auto found = own_events(reader, board, keys[at], oldest);
            if (!found) return found.error();
            own[at] = *std::move(found);
        }
        if (removed && !own[at]->contains(item.event.seq)) continue;
        item.player = player.player;
        item.name = player.details.name;
    }
    return {};
}

}  // namespace

Result<LedgerPage> list_ledger(ledger::LedgerReader& reader, const HostedBoard& board,
                               const base::Clock& clock, Sequence after, std::size_t limit) {
    LedgerPage page;
    const base::RankingId ranking = board.read([&](const HostedBoard::View& view) {
        page.config = view.config;
        page.board_seq = view.seq();
        return view.record.ranking;
    });
    ReadTimeLimit limited(reader, clock);
    limited.start(kScanTime);
    auto found = reader.ranking_events(ranking, after, limit);
    if (!found) return found.error();
    if (!found->at_end) page.next = found->looked_to;
    for (Event& event : found->events) page.items.push_back({event, {}, {}, false});
    limited.start(kReadTime);
    if (const auto resolved = resolve(reader, board, page.items); !resolved) {
        return resolved.error();
    }
    return page;
}

namespace {

// Where the walk to the events older than `before` may begin: at the link that `before` itself
// has, if it is surely of this player.
Result<Sequence> start_of(ledger::LedgerReader& reader, const ChainHead& head, Sequence before) {
    if (before.value == 0) return head.last_seq;
    const auto event = reader.event(before);
    if (!event) return event.error();
    if (!*event || key_of(**event) != head.key) return head.last_seq;
    const auto undoings = reader.undoings(std::span(&head.key, 1), {before.value - 1});
    if (!undoings) return undoings.error();
    const bool removed = std::any_of(undoings->begin(), undoings->end(), ledger::removes_entry);
    return removed ? head.last_seq : (*event)->prev_seq;
}

}  // namespace

Result<LedgerPage> list_player_ledger(ledger::LedgerReader& reader, const HostedBoard& board,
                                      const base::Clock& clock, std::string_view player,
                                      Sequence after, Sequence before, std::size_t limit) {
    LedgerPage page;
    board.read([&](const HostedBoard::View& view) {
        page.config = view.config;
        page.board_seq = view.seq();
    });
    const auto head = read_chain_head(board, player);
    if (!head) return page;
    ReadTimeLimit limited(reader, clock);
    limited.start(kReadTime);
    const auto start = start_of(reader, *head, before);
    if (!start) return start.error();
    PlayerChain chain(reader, head->key, *start);
    for (Event event; page.items.size() < limit;) {
        const auto more = chain.next(event);
        if (!more) return more.error();
        if (!*more || event.seq <= after) break;
        if (before.value != 0 && event.seq >= before) continue;
        page.items.push_back({event, {}, {}, false});
    }
    if (page.items.size() == limit && page.items.back().event.prev_seq > after) {
        page.next = page.items.back().event.seq;
    }
    const auto resolved = resolve(reader, board, page.items);
    if (!resolved) return resolved.error();
    // They are the chain's, whoever has the slot by now.
    for (LedgerItem& item : page.items) item.player = head->player;
    return page;
}

namespace {

// The scores that the entry has had, as running the story again gives them.
std::vector<HistoryPoint> points_of(const ranking::Rules& rules, const EntryStory& story) {
    std::vector<HistoryPoint> points;
    std::optional<ranking::Entry> entry = story.base;
    if (entry && !story.base_vague) {
        points.push_back(
            {entry->reached_seq, entry->reached_at, ranking::Outcome::kCreated, entry->scores, {}});
    }
    for (const CountedEvent& event : story.events) {
        std::optional<ranking::Decision> decision;
        if (event.set) {
            decision = ranking::set_exactly(entry, event.submission, event.seq, event.at);
        } else if (auto decided =
                       ranking::evaluate(rules, entry, event.submission, event.seq, event.at)) {
            decision = *decided;
        }
        if (!decision) continue;  // a sum that only what was taken back kept within its bounds
        const bool moved = !entry || decision->after.scores != entry->scores;
        entry = decision->after;
        if (moved) {
            points.push_back({event.seq, event.at, decision->outcome, entry->scores, {}});
        }
    }
    return points;
}

// The player's own entry is not a rival of what it was before.
void rank_points(const HostedBoard& board, const ChainHead& head,
                 std::vector<HistoryPoint>& points) {
    const ranking::Rules& rules = head.config->rules;
    const bool shared = rules.ties == ranking::Ties::kShared;
    for (std::size_t from = 0; from < points.size(); from += kRanksAtOnce) {
        const std::size_t to = std::min(points.size(), from + kRanksAtOnce);
        board.read([&](const HostedBoard::View& view) {
            const auto own = view.board.entry(head.key.slot);
            for (std::size_t i = from; i < to; ++i) {
                HistoryPoint& point = points[i];
                const Sequence reached = shared ? Sequence{} : point.seq;
                std::size_t ahead = view.board.count_ahead({point.scores, reached});
                if (own) {
                    const int by_scores = ranking::compare(rules, own->scores, point.scores);
                    const bool own_ahead =
                        by_scores < 0 || (by_scores == 0 && own->reached_seq < reached);
                    if (own_ahead) --ahead;
                }
                point.rank_now = {static_cast<std::uint32_t>(ahead + 1)};
            }
        });
    }
}

}  // namespace

Result<std::optional<History>> read_history(ledger::LedgerReader& reader, const HostedBoard& board,
                                            const base::Clock& clock, std::string_view player,
                                            std::size_t points) {
    const auto head = read_chain_head(board, player);
    if (!head || !head->entry) return std::optional<History>();
    ReadTimeLimit limited(reader, clock);
    limited.start(kReadTime);
    const auto story = read_story(reader, *head, kMaxStory);
    if (!story) return story.error();
    History history;
    history.config = head->config;
    history.player = head->player;
    history.board_seq = head->board_seq;
    history.complete = !story->base;
    history.points = thin_out(points_of(head->config->rules, *story), points);
    rank_points(board, *head, history.points);
    return std::optional(std::move(history));
}

std::vector<HistoryPoint> thin_out(const std::vector<HistoryPoint>& points, std::size_t most) {
    if (points.size() <= most) return points;
    if (most < 2) return {points.end() - static_cast<std::ptrdiff_t>(most), points.end()};
    std::vector<HistoryPoint> kept = {points.front()};
    if (most == 2) {
        kept.push_back(points.back());
        return kept;
    }
    // Doubles only choose; what is shown stays exact.
    const auto x = [](const HistoryPoint& point) { return static_cast<double>(point.at.ms); };
    const auto y = [](const HistoryPoint& point) {
        return static_cast<double>(point.scores.units[0]);
    };
    const std::size_t inner = points.size() - 2;
    const std::size_t buckets = most - 2;
    const auto begin_of = [&](std::size_t bucket) { return 1 + bucket * inner / buckets; };
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
        const std::size_t begin = begin_of(bucket);
        const std::size_t end = begin_of(bucket + 1);
        const std::size_t next_end = bucket + 1 < buckets ? begin_of(bucket + 2) : points.size();
        double middle_x = 0;
        double middle_y = 0;
        for (std::size_t i = end; i < next_end; ++i) {
            middle_x += x(points[i]) / static_cast<double>(next_end - end);
            middle_y += y(points[i]) / static_cast<double>(next_end - end);
        }
        const HistoryPoint& last = kept.back();
        std::size_t best = begin;
        double largest = -1;
        for (std::size_t i = begin; i < end; ++i) {
            const double area = std::abs((x(last) - middle_x) * (y(points[i]) - y(last)) -
                                         (x(last) - x(points[i])) * (middle_y - y(last)));
            if (area <= largest) continue;
            largest = area;
            best = i;
        }
        kept.push_back(points[best]);
    }
    kept.push_back(points.back());
    return kept;
}

}  // namespace standings::engine
