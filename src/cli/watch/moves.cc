#include "cli/watch/moves.h"

#include <utility>

namespace standings::cli {

void Moves::note(const LiveRows& rows, base::Monotonic now) {
    std::map<std::string, Place, std::less<>> places;
    for (const LiveRow* row : rows.in_order()) {
        const auto known = places_.find(row->player);
        Place place{.rank = row->rank, .before = row->rank, .moved = std::nullopt};
        if (known != places_.end()) {
            place = known->second;
            if (place.rank != row->rank) {
                if (!is_shown(place, now)) place.before = place.rank;
                place.rank = row->rank;
                place.moved = now;
            }
        } else if (has_rows_ && tells_new_) {
            place.before = 0;
            place.moved = now;
        }
        places.emplace(row->player, place);
    }
    places_ = std::move(places);
    has_rows_ = true;
}

std::optional<Move> Moves::of(const LiveRow& row, base::Monotonic now) const {
    const auto known = places_.find(row.player);
    if (known == places_.end() || !is_shown(known->second, now)) return std::nullopt;
    const Place& place = known->second;
    if (place.before == 0) return Move{.is_new = true};
    if (place.before == place.rank) return std::nullopt;
    return Move{.climbed = static_cast<std::int64_t>(place.before) -
                           static_cast<std::int64_t>(place.rank)};
}

bool Moves::is_shown(const Place& place, base::Monotonic now) {
    return place.moved && now - *place.moved < kShownFor;
}

}  // namespace standings::cli
