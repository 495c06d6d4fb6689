#include "engine/feed.h"

#include <algorithm>
#include <utility>

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
    seq_ = lost_ = all_.known_since = after;
}

void Feed::reach(base::Sequence seq) {
    const std::lock_guard hold(mutex_);
    seq_ = std::max(seq_, seq);
}

void Feed::begin_life(base::RankingId ranking, base::Sequence seq) {
    const std::lock_guard hold(mutex_);
    ring_of(ranking, seq);
    forget_too_many();
}

void Feed::end_life(base::RankingId ranking) {
    Ring ended;  // freed when the mutex is not held any more
    const std::lock_guard hold(mutex_);
    const auto found = rings_.find(ranking);
    if (found == rings_.end()) return;
    ended = std::move(found->second);
    items_ -= ended.items.size();
    by_age_.erase(ended.place);
    rings_.erase(found);
}

void Feed::Adding::add(const Event& event, std::string_view player,
                       const ledger::BoardRecord& board) {
    feed_.seq_ = event.seq;
    if (event.kind == EventKind::kSubmit) {
        auto item =
            std::make_shared<const FeedItem>(FeedItem{event, std::string(player), board.slug});
        if (board.config.visibility == ledger::Visibility::kPublic) put(feed_.all_, item);
        // Where the batch itself has pushed something out, it may be of this board.
        const base::Sequence known_since =
            feed_.lost_ > begun_at_ ? feed_.lost_ : feed_.known_since(board.seq);
        Ring& ring = feed_.ring_of(event.ranking, known_since);
        if (put(ring, std::move(item))) ++feed_.items_;
        feed_.forget_too_many();
    } else if (event.kind == EventKind::kTakenBack || event.kind == EventKind::kRemove) {
        const auto ring = feed_.rings_.find(event.ranking);
        if (ring != feed_.rings_.end()) feed_.items_ -= take_out(ring->second, event);
        take_out(feed_.all_, event);
    }
}

Feed::Ring& Feed::ring_of(base::RankingId ranking, base::Sequence known_since) {
    const auto [at, is_new] = rings_.try_emplace(ranking);
    Ring& ring = at->second;
    if (is_new) {
        by_age_.push_front(ranking);
        ring.place = by_age_.begin();
        ring.known_since = known_since;
    } else if (ring.place != by_age_.begin()) {
        by_age_.splice(by_age_.begin(), by_age_, ring.place);
    }
    return ring;
}

bool Feed::put(Ring& ring, SharedFeedItem item) {
    if (ring.items.size() < kPerBoard) {
        ring.items.push_back(std::move(item));
        return true;
    }
    SharedFeedItem& oldest = ring.items[ring.oldest];
    ring.known_since = oldest->event.seq;
    oldest = std::move(item);
    ring.oldest = (ring.oldest + 1) % kPerBoard;
    return false;
}

std::size_t Feed::take_out(Ring& ring, const Event& event) {
    const auto goes = [&](const SharedFeedItem& item) {
        if (item->event.ranking != event.ranking || item->event.slot != event.slot) return false;
        return event.kind == EventKind::kRemove ||
               ledger::takes_back(ledger::take_back_of(event), item->event.seq);
    };
    if (std::ranges::none_of(ring.items, goes)) return 0;
    // It grows again now, so the oldest one has to be in front.
    std::ranges::rotate(ring.items, ring.items.begin() + static_cast<std::ptrdiff_t>(ring.oldest));
    ring.oldest = 0;
    return std::erase_if(ring.items, goes);
}

void Feed::forget_too_many() {
    while (items_ > kMostItems || rings_.size() > kMostBoards) forget_oldest();
}

void Feed::forget_oldest() {
    const auto oldest = rings_.find(by_age_.back());
    lost_ = std::max(lost_, oldest->second.known_since);
    for (const SharedFeedItem& item : oldest->second.items) {
        lost_ = std::max(lost_, item->event.seq);
    }
    items_ -= oldest->second.items.size();
    rings_.erase(oldest);
    by_age_.pop_back();
}

void Feed::read(const Ring& ring, FeedReading& reading) {
    reading.known_since = ring.known_since;
    for (std::size_t i = 0; i < ring.items.size(); ++i) {
        reading.items.push_back(ring.items[(ring.oldest + i) % ring.items.size()]);
    }
}

FeedReading Feed::of_board(base::RankingId ranking, base::Sequence board_seq) const {
    FeedReading reading;
    reading.items.reserve(kPerBoard);
    const std::lock_guard hold(mutex_);
    reading.seq = seq_;
    const auto ring = rings_.find(ranking);
    if (ring != rings_.end()) {
        read(ring->second, reading);
    } else {
        reading.known_since = known_since(board_seq);
    }
    return reading;
}

FeedReading Feed::of_all() const {
    FeedReading reading;
    reading.items.reserve(kPerBoard);
    const std::lock_guard hold(mutex_);
    reading.seq = seq_;
    read(all_, reading);
    return reading;
}

}  // namespace standings::engine
