// One ranking of a board: the state of every slot in it, and their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "ranking/board.h"
#include "ranking/rules.h"

namespace standings::ranking {

// Promise: the index holds exactly the slots that have an entry, each under its entry's key.
// Owner: a Board. Threads: one writer; readers while it rests. Knows slots, not players.
// The functions are those of Board, which says what they promise.
class Ranking {
  public:
    virtual ~Ranking() = default;

    virtual bool has(base::PlayerSlot slot) const = 0;
    virtual std::optional<Entry> entry(base::PlayerSlot slot) const = 0;
    virtual base::Sequence last_seq(base::PlayerSlot slot) const = 0;
    // One past the largest slot that it ever had a row for.
    virtual std::uint32_t slot_limit() const = 0;
    virtual void put(base::PlayerSlot slot, const Entry& entry) = 0;
    virtual void remove(base::PlayerSlot slot, base::Sequence seq) = 0;
    // Forgets the last_seq of a slot without an entry.
    virtual void forget(base::PlayerSlot slot) = 0;
    // Brings what a read of this slot needs first into the cache.
    virtual void prefetch(base::PlayerSlot slot) const = 0;
    // What it needs next: reads what prefetch() brought.
    virtual void prefetch_place(base::PlayerSlot slot) const = 0;

    virtual std::size_t size() const = 0;
    virtual std::optional<Place> place_of(base::PlayerSlot slot) const = 0;
    virtual std::optional<Row> row(base::PlayerSlot slot) const = 0;
    virtual void page(std::size_t offset, std::size_t limit, std::vector<Row>& out) const = 0;
    virtual std::size_t count_ahead(const Seek& seek) const = 0;

    virtual void set_rules(const Rules& rules) = 0;
    virtual void load(const std::function<bool(SlotEntry&)>& next) = 0;
    virtual void load_removed(base::PlayerSlot slot, base::Sequence last_seq) = 0;
    // `in_use` says whether a slot has a player.
    virtual void check(const std::function<bool(base::PlayerSlot)>& in_use) const = 0;
    virtual std::size_t memory_bytes() const = 0;
};

std::unique_ptr<Ranking> make_ranking(const Rules& rules, NodeSize nodes);

}  // namespace standings::ranking
