#include "engine/feed.h"

#include <algorithm>

#include "ledger/take_back.h"

namespace standings::engine {

using ledger::Event;
using ledger::EventKind;

void Feed::start(base::Sequence after) {
    const std::lock_guard hold(mutex_);
    rings_.clear();
    by_age_.clear();
    items_ = 0;
    all_ = {};
    seq_ = forgotten_ = all_.known_since = after;
}

void Feed::Adding::add(const Event& event, std::string_view player, std::string_view board,
                       bool in_all) {
    feed_.seq_ = event.seq;
    if (event.kind == EventKind::kSubmit) {
        Ring& ring = feed_.ring_of(event.ranking);
        if (put(ring, event, player, board)) ++feed_.items_;
        if (in_all) put(feed_.all_, event, player, board);
        if (feed_.items_ > kMostItems) feed_.forget_oldest();
    } else if (event.kind == EventKind::kTakenBack || event.kind == EventKind::kRemove) {
        const auto ring = feed_.rings_.find(event.ranking);
        if (ring != feed_.rings_.end()) feed_.items_ -= take_out(ring->second, event);
        take_out(feed_.all_, event);
    }
}

Feed::Ring& Feed::ring_of(base::RankingId ranking) {
    const auto [at, is_new] = rings_.try_emplace(ranking);
    Ring& ring = at->second;
    if (is_new) {
        by_age_.push_front(ranking);
        ring.place = by_age_.begin();
        ring.known_since = forgotten_;
    } else if (ring.place != by_age_.begin()) {
        by_age_.splice(by_age_.begin(), by_age_, ring.place);
    }
    return ring;
}

bool Feed::put(Ring& ring, const Event& event, std::string_view player, std::string_view board) {
    const bool grows = ring.items.size() < kPerBoard;
    FeedItem& item = grows ? ring.items.emplace_back() : ring.items[ring.oldest];
    if (!grows) {
        ring.known_since = item.event.seq;
        ring.oldest = (ring.oldest + 1) % kPerBoard;
    }
    item.event = event;
    item.player = player;
    item.board = board;
    return grows;
}

std::size_t Feed::take_out(Ring& ring, const Event& event) {
    const auto goes = [&](const FeedItem& item) {
        if (item.event.ranking != event.ranking || item.event.slot != event.slot) return false;
        return event.kind == EventKind::kRemove ||
               ledger::takes_back(ledger::take_back_of(event), item.event.seq);
    };
    if (std::ranges::none_of(ring.items, goes)) return 0;
    // It grows again now, so the oldest one has to be in front.
    std::ranges::rotate(ring.items, ring.items.begin() + static_cast<std::ptrdiff_t>(ring.oldest));
    ring.oldest = 0;
    return std::erase_if(ring.items, goes);
}

void Feed::forget_oldest() {
    const auto oldest = rings_.find(by_age_.back());
    for (const FeedItem& item : oldest->second.items) {
        forgotten_ = std::max(forgotten_, item.event.seq);
    }
    items_ -= oldest->second.items.size();
    rings_.erase(oldest);
    by_age_.pop_back();
}

FeedReading Feed::read(const Ring& ring, std::size_t most, base::Sequence seq) {
    FeedReading reading{.seq = seq, .known_since = ring.known_since, .items = {}};
    const std::size_t skipped = ring.items.size() - std::min(most, ring.items.size());
    for (std::size_t i = 0; i < ring.items.size(); ++i) {
        const FeedItem& item = ring.items[(ring.oldest + i) % ring.items.size()];
        if (i < skipped) {
            reading.known_since = item.event.seq;
        } else {
            reading.items.push_back(item);
        }
    }
    return reading;
}

FeedReading Feed::of_board(base::RankingId ranking, std::size_t most) const {
    const std::lock_guard hold(mutex_);
    const auto ring = rings_.find(ranking);
    if (ring != rings_.end()) return read(ring->second, most, seq_);
    return {.seq = seq_, .known_since = forgotten_, .items = {}};
}

FeedReading Feed::of_all(std::size_t most) const {
    const std::lock_guard hold(mutex_);
    return read(all_, most, seq_);
}

base::Sequence Feed::seq() const {
    const std::lock_guard hold(mutex_);
    return seq_;
}

}  // namespace standings::engine
