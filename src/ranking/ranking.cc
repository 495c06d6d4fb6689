#include "ranking/ranking.h"

#include <algorithm>
#include <array>
#include <boost/sort/pdqsort/pdqsort.hpp>
#include <type_traits>

#include "base/check.h"
#include "ranking/chunks.h"
#include "ranking/rank_index.h"
#include "ranking/rank_key.h"

namespace standings::ranking {
namespace {

constexpr std::uint64_t kLow48 = (std::uint64_t{1} << 48) - 1;

std::uint64_t upper16(std::uint64_t word) {
    return word >> 48;
}
std::uint64_t lower48(std::uint64_t word) {
    return word & kLow48;
}
// 48 bits with a sign: the years -2490 to 6429.
std::int64_t signed48(std::uint64_t word) {
    return static_cast<std::int64_t>(word << 16) >> 16;
}

// What a ranking keeps of one slot: 32 bytes with one column. All zero: never had an entry.
template <std::size_t Columns>
struct Stored {
    std::array<std::int64_t, Columns> units;
    std::uint64_t reached;  // reached_seq: 48, submissions' lower 16; reached_seq 0: no entry
    std::uint64_t last;     // last_seq: 48, submissions' upper 16
    std::uint64_t instant;  // reached_at: 48, has_details: 1

    bool has_entry() const { return lower48(reached) != 0; }

    static Stored of(const Entry& entry) {
        CHECK(entry.reached_seq.value > 0 && entry.reached_seq.value <= base::kMaxSequence);
        CHECK(entry.last_seq.value <= base::kMaxSequence);
        Stored stored;
        for (std::size_t i = 0; i < Columns; ++i) {
            CHECK(entry.scores.units[i] >= -kMaxUnits && entry.scores.units[i] <= kMaxUnits);
            stored.units[i] = entry.scores.units[i];
        }
        const std::uint64_t submissions = entry.submissions;
        stored.reached = entry.reached_seq.value | (submissions << 48);
        stored.last = entry.last_seq.value | (submissions >> 16 << 48);
        stored.instant = (static_cast<std::uint64_t>(entry.reached_at.ms) & kLow48) |
                         (std::uint64_t{entry.has_details} << 48);
        return stored;
    }

    Scores scores() const {
        Scores scores;
        for (std::size_t i = 0; i < Columns; ++i) scores.units[i] = units[i];
        return scores;
    }
    base::Instant reached_at() const { return {signed48(instant)}; }
    bool has_details() const { return upper16(instant) != 0; }
    std::uint32_t submissions() const {
        return static_cast<std::uint32_t>(upper16(reached) | (upper16(last) << 16));
    }
    void forget_entry(base::Sequence last_seq) {
        CHECK(last_seq.value <= base::kMaxSequence);
        *this = Stored{};
        last = last_seq.value;
    }
};

template <std::size_t Columns, std::size_t LeafKeys, std::size_t Fanout>
class RankingOf final : public Ranking {
    using Key = RankKey<Columns>;
    using Index = RankIndex<Key, LeafKeys, Fanout>;
    using Slot = base::PlayerSlot;

  public:
    explicit RankingOf(const Rules& rules)
        : keys_(rules), ties_(rules.ties), keeps_occurred_at_(rules.rule == Rule::kLast) {}

    bool has(Slot slot) const override { return stored(slot) != nullptr; }

    std::optional<Entry> entry(Slot slot) const override {
        const Stored<Columns>* stored = this->stored(slot);
        if (stored == nullptr) return std::nullopt;
        return Entry{.scores = stored->scores(),
                     .reached_seq = {lower48(stored->reached)},
                     .last_seq = {lower48(stored->last)},
                     .reached_at = stored->reached_at(),
                     .occurred_at = keeps_occurred_at_ ? occurred_at_[slot.value] : base::kNever,
                     .submissions = stored->submissions(),
                     .has_details = stored->has_details()};
    }

    base::Sequence last_seq(Slot slot) const override {
        if (slot.value >= slots_.size()) return {0};
        return {lower48(slots_[slot.value].last)};
    }

    std::uint32_t slot_limit() const override { return static_cast<std::uint32_t>(slots_.size()); }

    void put(Slot slot, const Entry& entry) override {
        CHECK(slot.value <= Key::kSlotMask);
        slots_.grow_to(std::size_t{slot.value} + 1);
        Stored<Columns>& stored = slots_[slot.value];
        const auto after = Stored<Columns>::of(entry);
        const Key key = key_of(slot, after);
        if (!stored.has_entry()) {
            index_.insert(key);
        } else if (const Key before = key_of(slot, stored); !(before == key)) {
            index_.move(before, key);
        }
        stored = after;
        store_occurred_at(slot, entry);
    }

    void remove(Slot slot, base::Sequence seq) override {
        slots_.grow_to(std::size_t{slot.value} + 1);
        Stored<Columns>& stored = slots_[slot.value];
        if (stored.has_entry()) index_.erase(key_of(slot, stored));
        stored.forget_entry(seq);
    }

    void forget(Slot slot) override {
        CHECK(!has(slot));
        if (slot.value < slots_.size()) slots_[slot.value] = {};
    }

    void set_rules(const Rules& rules) override {
        ties_ = rules.ties;
        const bool kept = std::exchange(keeps_occurred_at_, rules.rule == Rule::kLast);
        if (kept || !keeps_occurred_at_) return;
        occurred_at_.grow_to(slots_.size());
        for (std::size_t i = 0; i < occurred_at_.size(); ++i) occurred_at_[i] = base::kNever;
    }

    void prefetch(Slot slot) const override {
        if (slot.value < slots_.size()) __builtin_prefetch(&slots_[slot.value]);
    }

    void prefetch_place(Slot slot) const override {
        if (const Stored<Columns>* stored = this->stored(slot)) {
            index_.prefetch(key_of(slot, *stored));
        }
    }

    std::size_t size() const override { return index_.size(); }

    std::optional<Place> place_of(Slot slot) const override {
        const Stored<Columns>* stored = this->stored(slot);
        if (stored == nullptr) return std::nullopt;
        return place_of(key_of(slot, *stored));
    }

    std::optional<Row> row(Slot slot) const override {
        const Stored<Columns>* stored = this->stored(slot);
        if (stored == nullptr) return std::nullopt;
        return row_of(slot, place_of(key_of(slot, *stored)), *stored);
    }

    void page(std::size_t offset, std::size_t limit, std::vector<Row>& out) const override {
        if (offset >= index_.size()) return;
        const std::size_t count = std::min(limit, index_.size() - offset);
        out.reserve(out.size() + count);
        // Every row is a miss of its own: they are asked for some rows before they are read.
        auto cursor = index_.at(offset);
        auto ahead = cursor;
        for (std::size_t i = 0; i < kPrefetchRows && ahead; ++i, ++ahead) prefetch((*ahead).slot());

        Place place{.rank = {}, .position = {}};
        if (ties_ == Ties::kShared) place.rank = rank_after(index_.better_than(cursor, offset));
        Key equals = (*cursor).first_of_equals();
        for (std::size_t i = 0; i < count; ++i, ++cursor) {
            if (ahead) {
                prefetch((*ahead).slot());
                ++ahead;
            }
            const Key& key = *cursor;
            place.position = position_at(offset + i);
            if (ties_ == Ties::kEarliest) {
                place.rank = {place.position.value};
            } else if (const Key first = key.first_of_equals(); !(first == equals)) {
                place.rank = {place.position.value};
                equals = first;
            }
            out.push_back(row_of(key.slot(), place, slots_[key.slot().value]));
        }
    }

    std::size_t count_ahead(const Seek& seek) const override {
        // A cursor may come from outside: beyond the ends is at the ends.
        std::array<std::int64_t, Columns> units;
        for (std::size_t i = 0; i < Columns; ++i) {
            units[i] = std::clamp(seek.scores.units[i], -kMaxUnits, kMaxUnits);
        }
        const std::uint64_t seq = std::min(seek.reached_seq.value, base::kMaxSequence);
        return index_.rank(keys_.key(units, seq, 0));
    }

    void load(const std::function<bool(SlotEntry&)>& next) override {
        CHECK(index_.size() == 0);
        std::size_t count = 0;
        for (SlotEntry item; next(item); ++count) {
            CHECK(item.slot.value <= Key::kSlotMask && !has(item.slot));
            slots_.grow_to(std::size_t{item.slot.value} + 1);
            slots_[item.slot.value] = Stored<Columns>::of(item.entry);
            store_occurred_at(item.slot, item.entry);
        }
        // The keys are made from the rows afterwards, when their number is known.
        std::vector<Key> keys;
        keys.reserve(count);
        for (std::uint32_t i = 0; i < slots_.size(); ++i) {
            if (slots_[i].has_entry()) keys.push_back(key_of({i}, slots_[i]));
        }
        boost::sort::pdqsort_branchless(keys.begin(), keys.end());
        index_.build(keys);
    }

    void load_removed(Slot slot, base::Sequence last_seq) override {
        CHECK(!has(slot));
        slots_.grow_to(std::size_t{slot.value} + 1);
        slots_[slot.value].forget_entry(last_seq);
    }

    void check(const std::function<bool(Slot)>& in_use) const override {
        index_.check();
        std::size_t entries = 0;
        for (std::uint32_t i = 0; i < slots_.size(); ++i) {
            const Stored<Columns>& stored = slots_[i];
            if (!in_use({i})) CHECK(stored.last == 0);
            if (!stored.has_entry()) continue;
            ++entries;
            CHECK(in_use({i}));
        }
        CHECK(entries == index_.size());
        for (auto cursor = index_.at(0); cursor; ++cursor) {
            const Slot slot = (*cursor).slot();
            CHECK(has(slot) && key_of(slot, slots_[slot.value]) == *cursor);
        }
    }

    std::size_t memory_bytes() const override {
        return sizeof(*this) + slots_.memory_bytes() + occurred_at_.memory_bytes() +
               index_.memory_bytes();
    }

  private:
    static constexpr std::size_t kPrefetchRows = 12;

    const Stored<Columns>* stored(Slot slot) const {
        if (slot.value >= slots_.size()) return nullptr;
        const Stored<Columns>& stored = slots_[slot.value];
        return stored.has_entry() ? &stored : nullptr;
    }

    Key key_of(Slot slot, const Stored<Columns>& stored) const {
        return keys_.key(stored.units, lower48(stored.reached), slot.value);
    }

    static base::Position position_at(std::size_t offset) {
        return {static_cast<std::uint32_t>(offset + 1)};
    }

    Place place_of(const Key& key) const {
        if (ties_ == Ties::kEarliest) {
            const base::Position position = position_at(index_.rank(key));
            return {.rank = {position.value}, .position = position};
        }
        const auto [position, better] = index_.locate(key);
        return {.rank = rank_after(better), .position = position_at(position)};
    }

    static base::Rank rank_after(std::size_t better) {
        return {static_cast<std::uint32_t>(better + 1)};
    }

    static Row row_of(Slot slot, Place place, const Stored<Columns>& stored) {
        return {.slot = slot,
                .place = place,
                .scores = stored.scores(),
                .reached_seq = {lower48(stored.reached)},
                .reached_at = stored.reached_at(),
                .has_details = stored.has_details()};
    }

    void store_occurred_at(Slot slot, const Entry& entry) {
        if (!keeps_occurred_at_) return;
        occurred_at_.grow_to(std::size_t{slot.value} + 1);
        occurred_at_[slot.value] = entry.occurred_at;
    }

    KeyMaker<Columns> keys_;
    Ties ties_;
    bool keeps_occurred_at_;
    Index index_;
    Chunks<Stored<Columns>> slots_;
    Chunks<base::Instant> occurred_at_;  // read only if keeps_occurred_at_
};

template <std::size_t LeafKeys, std::size_t Fanout>
std::unique_ptr<Ranking> make_with_nodes(const Rules& rules) {
    switch (rules.columns.size()) {
        case 1:
            return std::make_unique<RankingOf<1, LeafKeys, Fanout>>(rules);
        case 2:
            return std::make_unique<RankingOf<2, LeafKeys, Fanout>>(rules);
        case 3:
            return std::make_unique<RankingOf<3, LeafKeys, Fanout>>(rules);
        default:
            CHECK(rules.columns.size() == 4);
            return std::make_unique<RankingOf<4, LeafKeys, Fanout>>(rules);
    }
}

}  // namespace

std::unique_ptr<Ranking> make_ranking(const Rules& rules, NodeSize nodes) {
    return nodes == NodeSize::kTiny ? make_with_nodes<4, 4>(rules)
                                    : make_with_nodes<128, 64>(rules);
}

}  // namespace standings::ranking
