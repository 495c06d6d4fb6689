#include "ranking/row_order.h"

#include <gtest/gtest.h>

#include <random>

#include "ranking/board.h"
#include "ranking/test_seed.h"

namespace standings::ranking {
namespace {

// Rows in random order come out as a board with the same entries has them, ties included.
TEST(RowOrder, AgreesWithABoard) {
    run_seeds(60, [](std::uint64_t seed) {
        SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
        std::mt19937_64 random(seed);
        Rules rules;
        rules.columns.resize(1 + random() % kMaxColumns);
        for (Column& column : rules.columns) column.order = static_cast<Order>(random() % 2);
        Board board(rules);
        const auto order = make_row_order(rules);
        const std::uint64_t rows = random() % 400;
        const std::uint64_t spread = 1 + random() % 20;
        for (std::uint64_t i = 0; i < rows; ++i) {
            Entry entry;
            for (std::size_t c = 0; c < rules.columns.size(); ++c) {
                entry.scores.units[c] = static_cast<std::int64_t>(random() % spread) - 5;
                if (random() % 50 == 0)
                    entry.scores.units[c] = random() % 2 ? kMaxUnits : -kMaxUnits;
            }
            entry.reached_seq = entry.last_seq = {1 + (i * 7919) % 100'000};
            const auto slot = board.add_player("p" + std::to_string(i));
            board.put(slot, entry);
            order->add(slot, entry.scores, entry.reached_seq);
        }
        order->sort();
        ASSERT_EQ(order->size(), board.size());
        std::vector<Row> page;
        board.page(0, board.size(), page);
        for (std::size_t i = 0; i < page.size(); ++i) {
            ASSERT_EQ(order->slot(i), page[i].slot);
            if (i > 0) {
                ASSERT_EQ(order->ties_with_previous(i), page[i].scores == page[i - 1].scores);
            }
        }
    });
}

}  // namespace
}  // namespace standings::ranking
