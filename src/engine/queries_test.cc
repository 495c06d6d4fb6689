#include "engine/queries.h"

#include <algorithm>
#include <map>
#include <random>

#include "engine/engine_harness.h"
#include "engine/engine_model.h"

namespace standings::engine {
namespace {

using ranking::Order;
using ranking::Rule;
using ranking::Scores;
using ranking::Ties;

// A hosted board and the model of it, filled without a committer.
class Table {
  public:
    explicit Table(const ranking::Rules& rules) : hosted_(record_of(rules), 5) {
        model_.config.rules = rules;
    }

    ChangeOutcome submit(const std::string& player, const Scores& scores) {
        ChangeOutcome outcome;
        const std::optional<ranking::Entry> before =
            model_.players.contains(player) ? std::optional(model_.players[player].entry)
                                            : std::nullopt;
        const base::Sequence seq{++seq_};
        const auto decision =
            ranking::evaluate(model_.config.rules, before, {scores}, seq, {1}).value();
        hosted_.write([&](ledger::BoardRecord& record, ranking::Board& board) {
            auto slot = board.find(player);
            if (!slot) slot = board.add_player(player);
            board.put(*slot, decision.after);
            record.seq = seq;
            outcome.slot = *slot;
        });
        model_.players[player].entry = decision.after;
        outcome.outcome = decision.outcome;
        outcome.seq = seq;
        outcome.had_entry = before.has_value();
        if (before) {
            outcome.previous = before->scores;
            outcome.previous_reached_seq = before->reached_seq;
        }
        return outcome;
    }
    void remove(const std::string& player) {
        hosted_.write([&](ledger::BoardRecord&, ranking::Board& board) {
            board.remove(*board.find(player), {++seq_});
        });
        model_.players.erase(player);
    }

    const HostedBoard& hosted() const { return hosted_; }
    const ModelBoard& model() const { return model_; }

  private:
    static ledger::BoardRecord record_of(const ranking::Rules& rules) {
        ledger::BoardRecord record;
        record.id = {1};
        record.ranking = {1};
        record.slug = "a";
        record.config.rules = rules;
        return record;
    }

    HostedBoard hosted_;
    ModelBoard model_;
    std::uint64_t seq_ = 0;
};

ranking::Rules one_column(Order order = Order::kDescending, Ties ties = Ties::kShared,
                          Rule rule = Rule::kLast) {
    ranking::Rules rules;
    rules.rule = rule;
    rules.ties = ties;
    rules.columns[0].order = order;
    return rules;
}

using Names = std::vector<std::string>;
Names names(const Page& page) {
    Names all;
    for (std::size_t i = 0; i < page.rows.size(); ++i) all.emplace_back(page.player(i));
    return all;
}

// a 50, b 40, c 40, d 30, e 20; negative in ascending order.
class Five : public Table {
  public:
    explicit Five(Ties ties = Ties::kShared, Order order = Order::kDescending)
        : Table(one_column(order, ties)) {
        const int sign = order == Order::kDescending ? 1 : -1;
        submit("a", {{50 * sign}});
        submit("b", {{40 * sign}});
        submit("c", {{40 * sign}});
        submit("d", {{30 * sign}});
        submit("e", {{20 * sign}});
    }
};

TEST(Queries, PagesByOffset) {
    const Five table;
    Page page;
    read_offset(table.hosted(), 1, 2, page);
    EXPECT_EQ(names(page), (Names{"b", "c"}));
    EXPECT_EQ(page.rows[1].place.rank.value, 2U);
    EXPECT_EQ(page.rows[1].place.position.value, 3U);
    EXPECT_TRUE(page.has_before);
    EXPECT_TRUE(page.has_after);
    EXPECT_EQ(page.total, 5U);
    EXPECT_EQ(page.seq.value, 5U);
    read_offset(table.hosted(), 3, 100, page);
    EXPECT_EQ(names(page), (Names{"d", "e"}));
    EXPECT_FALSE(page.has_after);
    read_offset(table.hosted(), 0, 5, page);
    EXPECT_FALSE(page.has_before);
    EXPECT_FALSE(page.has_after);
    for (const std::size_t offset : {std::size_t{5}, std::size_t{6}, std::size_t{UINT32_MAX}}) {
        read_offset(table.hosted(), offset, 10, page);
        EXPECT_TRUE(page.rows.empty());
        EXPECT_FALSE(page.has_after);
    }
}

TEST(Queries, ReadsAnEmptyBoard) {
    const Table table(one_column());
    Page page;
    read_offset(table.hosted(), 0, 10, page);
    EXPECT_TRUE(page.rows.empty());
    EXPECT_FALSE(page.has_before || page.has_after);
    read_range(table.hosted(), {1, 5}, std::nullopt, 10, page);
    EXPECT_TRUE(page.rows.empty());
    EXPECT_FALSE(read_around(table.hosted(), "a", 5, page));
    EXPECT_FALSE(read_standing(table.hosted(), "a", 2, page));
    EXPECT_EQ(read_rank_of(table.hosted(), {{7}}).rank.value, 1U);
}

TEST(Queries, PutsThePlayerIntoTheMiddle) {
    const Five table;
    Page page;
    const auto around = [&](const char* player, std::size_t limit) {
        EXPECT_TRUE(read_around(table.hosted(), player, limit, page));
        return names(page);
    };
    EXPECT_EQ(around("c", 3), (Names{"b", "c", "d"}));
    EXPECT_EQ(around("c", 1), Names{"c"});
    EXPECT_EQ(around("c", 100), (Names{"a", "b", "c", "d", "e"}));
    // Near an end the window is as large, and the player out of its middle.
    EXPECT_EQ(around("a", 3), (Names{"a", "b", "c"}));
    EXPECT_EQ(around("e", 3), (Names{"c", "d", "e"}));
    EXPECT_TRUE(page.has_before);
    EXPECT_FALSE(page.has_after);
    EXPECT_FALSE(read_around(table.hosted(), "nobody", 3, page));
}

TEST(Queries, FindsNoOneWhoWasRemoved) {
    Five table;
    table.remove("c");
    Page page;
    EXPECT_FALSE(read_around(table.hosted(), "c", 3, page));
    EXPECT_FALSE(read_standing(table.hosted(), "c", 0, page));
    const std::vector<std::string_view> wanted = {"c", "d"};
    read_players(table.hosted(), wanted, page);
    EXPECT_EQ(names(page), Names{"d"});
}

TEST(Queries, OrdersFriendsByRankAndCountsADoubleOneOnce) {
    const Five table;
    Page page;
    const std::vector<std::string_view> wanted = {"e", "nobody", "b", "e", "a", "c"};
    read_players(table.hosted(), wanted, page);
    EXPECT_EQ(names(page), (Names{"a", "b", "c", "e"}));
    EXPECT_EQ(page.rows[3].place.rank.value, 5U) << "of the whole board";
}

TEST(Queries, GivesAStandingItsNeighbours) {
    const Five table;
    Page page;
    EXPECT_EQ(read_standing(table.hosted(), "d", 0, page), 0U);
    EXPECT_EQ(names(page), Names{"d"});
    EXPECT_EQ(read_standing(table.hosted(), "b", 2, page), 1U);
    EXPECT_EQ(names(page), (Names{"a", "b", "c", "d"}));
    EXPECT_EQ(read_standing(table.hosted(), "e", 1, page), 1U);
    EXPECT_EQ(names(page), (Names{"d", "e"}));
    EXPECT_EQ(read_standing(table.hosted(), "c", 100, page), 2U);
    EXPECT_EQ(page.rows.size(), 5U);
}

TEST(Queries, ReadsARangeOfScoresWithBothEnds) {
    for (const Order order : {Order::kDescending, Order::kAscending}) {
        const Five table(Ties::kShared, order);
        const std::int64_t sign = order == Order::kDescending ? 1 : -1;
        Page page;
        const auto range = [&](std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
            ScoreRange asked{a, b};
            if (sign < 0) asked = {b ? std::optional(-*b) : b, a ? std::optional(-*a) : a};
            read_range(table.hosted(), asked, std::nullopt, 10, page);
            return names(page);
        };
        EXPECT_EQ(range(30, 40), (Names{"b", "c", "d"}));
        EXPECT_EQ(page.rows[0].place.rank.value, 2U);
        EXPECT_FALSE(page.has_before) << "inside the range";
        EXPECT_FALSE(page.has_after);
        EXPECT_EQ(range({}, 20), Names{"e"});
        EXPECT_EQ(range(41, {}), Names{"a"});
        EXPECT_EQ(range(31, 39), Names{});
        EXPECT_EQ(range(40, 30), Names{});
        EXPECT_EQ(range(-ranking::kMaxUnits, ranking::kMaxUnits).size(), 5U);
    }
}

// Every page, forth and back, of every size, of every range, in boards of several shapes.
TEST(Queries, TurnsPagesByCursorWithoutLossOrDouble) {
    std::mt19937_64 random(7);
    for (int shape = 0; shape < 12; ++shape) {
        ranking::Rules rules =
            one_column(static_cast<Order>(shape % 2), static_cast<Ties>(shape % 3 % 2));
        rules.columns.resize(1 + static_cast<std::size_t>(shape) % 3);
        if (rules.columns.size() > 1) rules.columns[1].order = Order::kAscending;
        Table table(rules);
        for (int i = 0; i < 23; ++i) {
            Scores scores;
            for (std::size_t c = 0; c < rules.columns.size(); ++c) {
                scores.units[c] = static_cast<std::int64_t>(random() % 4);
            }
            table.submit("p" + std::to_string(i), scores);
        }
        for (const auto& range :
             {ScoreRange{}, ScoreRange{1, 2}, ScoreRange{2, {}}, ScoreRange{{}, 0}}) {
            Names expected;
            for (const auto& [player, rank] : table.model().order()) {
                const std::int64_t units = table.model().players.at(player).entry.scores.units[0];
                if (range.at_least && units < *range.at_least) continue;
                if (range.at_most && units > *range.at_most) continue;
                expected.push_back(player);
            }
            for (const std::size_t limit : {1U, 3U, 7U, 100U}) {
                Page page;
                Names forth;
                std::vector<ranking::Row> first_rows;
                read_range(table.hosted(), range, std::nullopt, limit, page);
                EXPECT_FALSE(page.has_before);
                while (!page.rows.empty()) {
                    for (const auto& name : names(page)) forth.push_back(name);
                    first_rows.push_back(page.rows.front());
                    if (!page.has_after) break;
                    const ranking::Row last = page.rows.back();
                    read_range(table.hosted(), range,
                               Cursor{Cursor::Direction::kAfter, last.scores, last.reached_seq},
                               limit, page);
                    ASSERT_TRUE(page.has_before);
                    ASSERT_FALSE(page.rows.empty());
                }
                ASSERT_EQ(forth, expected);
                // Back from the front of the last page.
                Names back;
                if (first_rows.empty()) continue;
                ranking::Row at = first_rows.back();
                for (;;) {
                    read_range(table.hosted(), range,
                               Cursor{Cursor::Direction::kBefore, at.scores, at.reached_seq}, limit,
                               page);
                    if (page.rows.empty()) break;
                    ASSERT_TRUE(page.has_after);
                    const Names some = names(page);
                    back.insert(back.begin(), some.begin(), some.end());
                    at = page.rows.front();
                    if (!page.has_before) break;
                }
                const std::size_t on_last = (expected.size() - 1) % limit + 1;
                expected.resize(expected.size() - on_last);
                ASSERT_EQ(back, expected);
                expected = forth;  // for the next limit
            }
        }
    }
}

TEST(Queries, KeepsItsPlaceWhileTheBoardMoves) {
    Five table(Ties::kEarliest);
    Page page;
    read_range(table.hosted(), {}, std::nullopt, 2, page);
    EXPECT_EQ(names(page), (Names{"a", "b"}));
    const ranking::Row last = page.rows.back();
    const Cursor cursor{Cursor::Direction::kAfter, last.scores, last.reached_seq};
    // The row it points at goes, one comes in ahead, one behind, one with the same score.
    table.remove("b");
    table.submit("new", {{60}});
    table.submit("low", {{25}});
    table.submit("same", {{40}});
    read_range(table.hosted(), {}, cursor, 10, page);
    EXPECT_EQ(names(page), (Names{"c", "same", "d", "low", "e"}));
    read_range(table.hosted(), {},
               Cursor{Cursor::Direction::kBefore, last.scores, last.reached_seq}, 10, page);
    EXPECT_EQ(names(page), (Names{"new", "a"}));
}

// --- receipts ----------------------------------------------------------------------------------

TEST(Receipt, SaysWhoWasPassedAndHowFarTheNextIs) {
    Five table;
    const auto outcome = table.submit("e", {{45}});
    const auto reading = read_receipt(table.hosted(), "e", outcome);
    ASSERT_TRUE(reading.row);
    EXPECT_EQ(reading.row->place.rank.value, 2U);
    EXPECT_EQ(reading.previous_rank->value, 5U) << "that 20 would have now";
    EXPECT_EQ(reading.passed, (Names{"b", "c", "d"}));
    ASSERT_TRUE(reading.to_next);
    EXPECT_EQ(reading.to_next->units, 5);
    EXPECT_EQ(reading.total, 5U);
    EXPECT_EQ(reading.seq.value, 6U);
}

TEST(Receipt, NamesTheNearestTenWhenMoreWerePassed) {
    Table table(one_column());
    for (int i = 0; i < 30; ++i) table.submit("p" + std::to_string(i), {{100 - i}});
    const auto reading = read_receipt(table.hosted(), "new", table.submit("new", {{99}}));
    Names expected;
    for (int i = 2; i < 12; ++i) expected.push_back("p" + std::to_string(i));
    EXPECT_EQ(reading.passed, expected);
    EXPECT_FALSE(reading.previous_rank);
}

TEST(Receipt, HasNoNextForTheBest) {
    Five table;
    EXPECT_FALSE(read_receipt(table.hosted(), "d", table.submit("d", {{50}})).to_next)
        << "nobody has more";
    EXPECT_FALSE(read_receipt(table.hosted(), "d", table.submit("d", {{51}})).to_next);
    EXPECT_EQ(read_receipt(table.hosted(), "e", table.submit("e", {{40}})).to_next->units, 10)
        << "those with the same score are not ahead in score";
}

TEST(Receipt, CountsTheGapInTheFirstColumnThatDiffers) {
    ranking::Rules rules = one_column();
    rules.columns.resize(3);
    rules.columns[2].order = Order::kAscending;
    Table table(rules);
    table.submit("a", {{10, 5, 3}});
    auto reading = read_receipt(table.hosted(), "b", table.submit("b", {{10, 5, 9}}));
    EXPECT_EQ(reading.to_next->column, 2U);
    EXPECT_EQ(reading.to_next->units, 6);
    reading = read_receipt(table.hosted(), "b", table.submit("b", {{10, 2, 0}}));
    EXPECT_EQ(reading.to_next->column, 1U);
    EXPECT_EQ(reading.to_next->units, 3);
}

TEST(Receipt, IsTheSameInAscendingOrder) {
    Five table(Ties::kShared, Order::kAscending);
    const auto reading = read_receipt(table.hosted(), "e", table.submit("e", {{-45}}));
    EXPECT_EQ(reading.row->place.rank.value, 2U);
    EXPECT_EQ(reading.passed, (Names{"b", "c", "d"}));
    EXPECT_EQ(reading.to_next->units, 5);
}

TEST(Receipt, PassesNobodyWhenItGotWorse) {
    Five table;
    const auto reading = read_receipt(table.hosted(), "a", table.submit("a", {{25}}));
    EXPECT_EQ(reading.row->place.rank.value, 4U);
    EXPECT_EQ(reading.previous_rank->value, 1U);
    EXPECT_TRUE(reading.passed.empty());
    const auto same = read_receipt(table.hosted(), "a", table.submit("a", {{25}}));
    EXPECT_TRUE(same.passed.empty());
    EXPECT_EQ(same.previous_rank, same.row->place.rank);
}

// Against the obvious: who stood ahead before and stands behind now, and the rank of a ghost with
// the old scores.
TEST(Receipt, AgreesWithTheModel) {
    std::mt19937_64 random(11);
    for (const Ties ties : {Ties::kShared, Ties::kEarliest}) {
        for (const Order order : {Order::kDescending, Order::kAscending}) {
            ranking::Rules rules = one_column(order, ties);
            rules.columns.push_back({.name = "second"});
            Table table(rules);
            for (int i = 0; i < 400; ++i) {
                const std::string player = "p" + std::to_string(random() % 25);
                const auto before = table.model().order();
                const auto outcome =
                    table.submit(player, {{static_cast<std::int64_t>(random() % 5),
                                           static_cast<std::int64_t>(random() % 3)}});
                const auto after = table.model().order();
                const auto reading = read_receipt(table.hosted(), player, outcome);
                const auto place = [](const auto& table_order, const std::string& who) {
                    return std::find_if(table_order.begin(), table_order.end(),
                                        [&](const auto& one) { return one.first == who; });
                };
                const auto now = place(after, player);
                ASSERT_EQ(reading.row->place.rank, now->second);
                Names passed;
                const auto then = place(before, player);
                for (auto at = now + 1; at != after.end() && passed.size() < 10; ++at) {
                    if (place(before, at->first) < then) passed.push_back(at->first);
                }
                ASSERT_EQ(reading.passed, passed);

                ModelBoard ghost = table.model();
                if (outcome.had_entry) {
                    auto& entry = ghost.players[player].entry;
                    entry.scores = outcome.previous;
                    entry.reached_seq = outcome.previous_reached_seq;
                    const auto ghosts = ghost.order();
                    ASSERT_EQ(*reading.previous_rank, place(ghosts, player)->second);
                }
            }
        }
    }
}

TEST(Receipt, SaysWhereAScoreWouldBe) {
    const Five shared;
    EXPECT_EQ(read_rank_of(shared.hosted(), {{40}}).rank.value, 2U);
    EXPECT_EQ(read_rank_of(shared.hosted(), {{39}}).rank.value, 4U);
    EXPECT_EQ(read_rank_of(shared.hosted(), {{1}}).rank.value, 6U);
    const Five earliest(Ties::kEarliest);
    EXPECT_EQ(read_rank_of(earliest.hosted(), {{40}}).rank.value, 4U) << "behind the earlier ones";
    EXPECT_EQ(read_rank_of(earliest.hosted(), {{40}}).total, 5U);
}

TEST(Queries, SpreadsScoresAsCountingThemDoes) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 60; ++round) {
        ranking::Rules rules;
        rules.rule = Rule::kLast;
        rules.columns.resize(1 + random() % 2);
        for (auto& column : rules.columns) column.order = static_cast<Order>(random() % 2);
        Table table(rules);
        std::map<std::string, std::int64_t> scores;
        for (std::uint64_t n = random() % 80; n > 0; --n) {
            const std::string player = "p" + std::to_string(random() % 60);
            std::int64_t units = static_cast<std::int64_t>(random() % 40) - 20;
            if (random() % 30 == 0)
                units = random() % 2 == 0 ? ranking::kMaxUnits : -ranking::kMaxUnits;
            Scores both;
            both.units[0] = units;
            if (rules.columns.size() == 2) both.units[1] = static_cast<std::int64_t>(random() % 3);
            table.submit(player, both);
            scores[player] = units;
        }
        std::vector<std::int64_t> sorted;
        for (const auto& [player, units] : scores) sorted.push_back(units);
        std::sort(sorted.begin(), sorted.end());

        const std::size_t wanted = 1 + random() % 30;
        const Spread spread = read_spread(table.hosted(), wanted);
        ASSERT_EQ(spread.total, sorted.size());
        ASSERT_LE(spread.buckets.size(), wanted);
        if (sorted.empty()) continue;
        EXPECT_EQ(spread.least, sorted.front());
        EXPECT_EQ(spread.most, sorted.back());
        for (std::size_t i = 0; i < Spread::kPercents.size(); ++i) {
            const std::size_t nearest = (Spread::kPercents[i] * sorted.size() + 99) / 100;
            EXPECT_EQ(spread.quantiles[i], sorted[nearest - 1]);
        }
        std::size_t sum = 0;
        for (const auto& bucket : spread.buckets) {
            EXPECT_EQ(bucket.below - bucket.from, spread.buckets[0].below - spread.buckets[0].from);
            EXPECT_EQ(static_cast<std::ptrdiff_t>(bucket.count),
                      std::count_if(sorted.begin(), sorted.end(), [&](std::int64_t units) {
                          return units >= bucket.from && units < bucket.below;
                      }));
            sum += bucket.count;
        }
        EXPECT_EQ(sum, sorted.size());
    }
}

}  // namespace
}  // namespace standings::engine
