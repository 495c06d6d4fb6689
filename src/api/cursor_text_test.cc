#include "api/cursor_text.h"

#include <gtest/gtest.h>

#include "api/api_harness.h"

namespace standings::api {
namespace {

using Direction = engine::Cursor::Direction;

std::string cursor(Direction direction, const ranking::Row& row, std::size_t columns) {
    std::string text;
    append_cursor(text, direction, row, columns);
    return text;
}

TEST(CursorText, ComesBackAsItWas) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 2000; ++i) {
        const std::size_t columns = 1 + random() % ranking::kMaxColumns;
        ranking::Row row;
        row.reached_seq = {random() % base::kMaxSequence};
        for (std::size_t c = 0; c < columns; ++c) {
            row.scores.units[c] =
                static_cast<std::int64_t>(random() % (2 * ranking::kMaxUnits)) - ranking::kMaxUnits;
            if (random() % 5 == 0)
                row.scores.units[c] = ranking::kMaxUnits * (random() % 2 == 0 ? 1 : -1);
        }
        const auto direction = random() % 2 == 0 ? Direction::kAfter : Direction::kBefore;
        const std::string text = cursor(direction, row, columns);
        for (const char c : text)
            ASSERT_TRUE(std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-');
        const auto parsed = parse_cursor(text, columns);
        ASSERT_TRUE(parsed) << text;
        ASSERT_EQ(parsed->direction, direction);
        ASSERT_EQ(parsed->scores, row.scores);
        ASSERT_EQ(parsed->reached_seq, row.reached_seq);
        ASSERT_FALSE(columns > 1 && parse_cursor(text, columns - 1));
        ASSERT_FALSE(columns < 4 && parse_cursor(text, columns + 1));
    }
}

TEST(CursorText, RefusesWhatNoPageGave) {
    for (const char* bad :
         {"", "n", "x.1.1", "n.1", "n.1.1.1", "n.1.", "n..1", "n.-1.1", "n.1.1x", "n.1.1 ",
          "n.+1.1", "n.1.--1", "n.z.1", "n.zzzzzzzzzzzzzz.1", "n.1.800000000000000",
          "n.1.vvvvvvvvvvvvvvvv", "n.7vvvvvvvvv.1", "N.1.1", "n1.1"}) {
        const auto parsed = parse_cursor(bad, 1);
        ASSERT_FALSE(parsed) << bad;
        EXPECT_EQ(parsed.error().code, base::ErrorCode::kInvalid);
    }
}

TEST(CursorText, StaysInBoundsForEveryInput) {
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(text::test_seed()));
    ranking::Row row;
    row.reached_seq = {base::kMaxSequence - 1};
    row.scores.units = {ranking::kMaxUnits, -ranking::kMaxUnits, 0, 5};
    const std::vector<std::string> texts = {cursor(Direction::kAfter, row, 2),
                                            cursor(Direction::kBefore, row, 2), "n.1.2.3"};
    text::read_whole_cut_and_changed(texts, 3000, [](std::string_view text) {
        const auto parsed = parse_cursor(text, 2);
        if (!parsed) return;
        ASSERT_LT(parsed->reached_seq.value, base::kMaxSequence);
        for (const std::int64_t units : parsed->scores.units) {
            ASSERT_LE(units, ranking::kMaxUnits);
            ASSERT_GE(units, -ranking::kMaxUnits);
        }
    });
}

}  // namespace
}  // namespace standings::api
