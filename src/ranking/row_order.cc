#include "ranking/row_order.h"

#include <algorithm>
#include <array>
#include <boost/sort/pdqsort/pdqsort.hpp>
#include <vector>

#include "base/check.h"
#include "ranking/rank_key.h"

namespace standings::ranking {
namespace {

template <std::size_t Columns>
class RowOrderOf final : public RowOrder {
    using Key = RankKey<Columns>;

  public:
    explicit RowOrderOf(const Rules& rules) : keys_(rules) {}

    void reserve(std::size_t rows) override { rows_.reserve(rows); }
    void add(base::PlayerSlot slot, const Scores& scores, base::Sequence reached_seq) override {
        CHECK(slot.value <= Key::kSlotMask && reached_seq.value <= base::kMaxSequence);
        std::array<std::int64_t, Columns> units;
        std::copy_n(scores.units.begin(), Columns, units.begin());
        rows_.push_back(keys_.key(units, reached_seq.value, slot.value));
    }
    void sort() override { boost::sort::pdqsort_branchless(rows_.begin(), rows_.end()); }

    std::size_t size() const override { return rows_.size(); }
    base::PlayerSlot slot(std::size_t position) const override { return rows_[position].slot(); }
    bool ties_with_previous(std::size_t position) const override {
        return rows_[position].first_of_equals() == rows_[position - 1].first_of_equals();
    }

  private:
    KeyMaker<Columns> keys_;
    std::vector<Key> rows_;
};

}  // namespace

std::unique_ptr<RowOrder> make_row_order(const Rules& rules) {
    switch (rules.columns.size()) {
        case 1:
            return std::make_unique<RowOrderOf<1>>(rules);
        case 2:
            return std::make_unique<RowOrderOf<2>>(rules);
        case 3:
            return std::make_unique<RowOrderOf<3>>(rules);
        default:
            CHECK(rules.columns.size() == 4);
            return std::make_unique<RowOrderOf<4>>(rules);
    }
}

}  // namespace standings::ranking
