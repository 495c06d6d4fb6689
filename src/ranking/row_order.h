// Puts rows in the order of a board without a board in memory: for readings of what is on disk.
#pragma once

#include <cstddef>
#include <memory>

#include "base/ids.h"
#include "ranking/rules.h"

namespace standings::ranking {

// Promise: after sort() the rows stand as a Board of the same rules would have them. Add all, sort
// once, then read. 16 bytes a row with one column, 8 more for each further one. One thread.
class RowOrder {
  public:
    virtual ~RowOrder() = default;

    virtual void reserve(std::size_t rows) = 0;
    // Scores within +-kMaxUnits, a slot below kMaxPlayers.
    virtual void add(base::PlayerSlot slot, const Scores& scores, base::Sequence reached_seq) = 0;
    // ~100 ns a row.
    virtual void sort() = 0;

    virtual std::size_t size() const = 0;
    virtual base::PlayerSlot slot(std::size_t position) const = 0;
    // The row has the scores of the one before it (position > 0).
    virtual bool ties_with_previous(std::size_t position) const = 0;
};

std::unique_ptr<RowOrder> make_row_order(const Rules& rules);

}  // namespace standings::ranking
