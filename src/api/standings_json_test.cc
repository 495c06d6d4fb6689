#include "api/standings_json.h"

#include <gtest/gtest.h>

#include "api/api_harness.h"
#include "api/cursor_text.h"

namespace standings::api {
namespace {

constexpr base::Instant kThen{1'790'000'000'123};

ranking::Row row(std::uint32_t position, std::int64_t units) {
    ranking::Row out;
    out.slot = {position - 1};
    out.place = {{position}, {position}};
    out.scores.units[0] = units;
    out.reached_seq = {position};
    out.reached_at = kThen;
    return out;
}

// A board with p1 first: 30, 20, 10 points.
std::shared_ptr<engine::HostedBoard> three() {
    auto board = hosted_board();
    board->write([](ledger::BoardRecord&, ranking::Board& rows) {
        for (const int number : {1, 2, 3}) {
            ranking::Entry entry;
            entry.scores.units[0] = 40 - number * 10;
            entry.reached_seq = entry.last_seq = {static_cast<std::uint64_t>(number)};
            entry.reached_at = kThen;
            rows.put(rows.add_player("p" + std::to_string(number)), entry);
        }
    });
    return board;
}

TEST(StandingsJson, WritesARow) {
    const ledger::BoardConfig config;
    std::string out;
    append_row(out, config, row(7, 83401), "u_9", nullptr);
    EXPECT_EQ(out,
              "{\"rank\":7,\"position\":7,\"player\":\"u_9\",\"score\":83401,"
              "\"reached_at\":\"2026-09-21T14:13:20.123Z\"}");
}

TEST(StandingsJson, WritesTheLongestRow) {
    ledger::BoardConfig config;
    config.rules.columns = {{.name = "score", .decimals = 6}};
    ranking::Row longest = row(UINT32_MAX, -ranking::kMaxUnits);
    const std::string player(ranking::kMaxPlayerId, 'x');
    const std::string before =
        "{\"rank\":4294967295,\"position\":4294967295,\"player\":\"" + player;
    const std::string end = ",\"reached_at\":\"2026-09-21T14:13:20.123Z\"}";
    std::string out;
    append_row(out, config, longest, player, nullptr);
    EXPECT_EQ(out, before + "\",\"score\":-9007199254.740991" + end);

    config.rules.columns.clear();
    std::string scores;
    for (const char letter : {'a', 'b', 'c', 'd'}) {
        config.rules.columns.push_back({.name = std::string(64, letter)});
        scores +=
            (scores.empty() ? "{\"" : ",\"") + std::string(64, letter) + "\":-9007199254740991";
    }
    longest.scores.units.fill(-ranking::kMaxUnits);
    const ledger::Details named{std::string(500, 'n'), {}};
    out.clear();
    append_row(out, config, longest, player, &named);
    EXPECT_EQ(out, before + "\",\"name\":\"" + *named.name + "\",\"scores\":" + scores + '}' + end);
}

TEST(StandingsJson, WritesThePositionOfTheLongestBoard) {
    std::string out;
    append_position(out, std::string(63, 'b'), "abcdefghij", {UINT64_MAX}, SIZE_MAX);
    EXPECT_EQ(out, "\"board\":\"" + std::string(63, 'b') +
                       "\",\"period\":\"all\",\"epoch\":\"abcdefghij\",\"seq\":"
                       "18446744073709551615,\"total\":18446744073709551615");
}

TEST(StandingsJson, ShowsMetaToWhoMaySeeIt) {
    ledger::BoardConfig config;
    const ledger::Details details{"Le\"na<", "{\"car\":1}"};
    const auto text = [&](bool with_meta) {
        std::string out;
        append_row(out, config, row(1, 1), "a", &details, with_meta);
        return out;
    };
    EXPECT_NE(text(false).find("\"name\":\"Le\\\"na\\u003c\""), std::string::npos);
    EXPECT_EQ(text(false).find("meta"), std::string::npos) << "private unless the board says so";
    EXPECT_NE(text(true).find("\"meta\":{\"car\":1}"), std::string::npos);
    config.public_meta = true;
    EXPECT_NE(text(false).find("\"meta\":{\"car\":1}"), std::string::npos);
}

TEST(StandingsJson, WritesSeveralColumnsByName) {
    ledger::BoardConfig config;
    config.rules.columns = {{.name = "points"}, {.name = "time", .decimals = 3}};
    std::string out;
    append_scores(out, config, {{3, -1500}});
    EXPECT_EQ(out, "\"scores\":{\"points\":3,\"time\":-1.5}");
}

TEST(StandingsJson, WritesAPageWithItsCursors) {
    const auto board = three();
    engine::Page page;
    engine::read_offset(*board, 1, 1, page);
    page.details.resize(1);
    std::string out;
    append_page(out, "speedrun", "k3", page, true, false);
    std::string next;
    append_cursor(next, engine::Cursor::Direction::kAfter, page.rows[0], 1);
    std::string previous;
    append_cursor(previous, engine::Cursor::Direction::kBefore, page.rows[0], 1);
    EXPECT_EQ(out,
              "{\"board\":\"speedrun\",\"period\":\"all\",\"epoch\":\"k3\",\"seq\":7,\"total\":3,"
              "\"rows\":[{\"rank\":2,\"position\":2,\"player\":\"p2\",\"score\":20,"
              "\"reached_at\":\"2026-09-21T14:13:20.123Z\"}],"
              "\"next_cursor\":\"" +
                  next + "\",\"prev_cursor\":\"" + previous + "\"}\n");

    engine::read_offset(*board, 0, 10, page);
    page.details.assign(3, nullptr);
    out.clear();
    append_page(out, "speedrun", "k3", page, true, false);
    EXPECT_EQ(out.find("cursor"), std::string::npos) << "there is nothing more";
    engine::read_offset(*board, 50, 10, page);
    page.details.clear();
    out.clear();
    append_page(out, "speedrun", "k3", page, true, false);
    EXPECT_NE(out.find("\"rows\":[]"), std::string::npos);
    EXPECT_EQ(out.find("cursor"), std::string::npos) << "no row to point at";
}

TEST(StandingsJson, WritesAReceipt) {
    engine::ChangeOutcome outcome;
    outcome.outcome = ranking::Outcome::kImproved;
    outcome.seq = {5};
    outcome.had_entry = true;
    outcome.previous = {{7}};
    engine::ReceiptReading reading;
    reading.config = std::make_shared<const ledger::BoardConfig>();
    reading.seq = {9};
    reading.total = 3;
    reading.row = row(2, 20);
    reading.previous_rank = base::Rank{3};
    reading.passed = {"x", "y"};
    reading.to_next = engine::ReceiptReading::ToNext{0, 10};
    std::string out;
    append_receipt(out, outcome, reading, "p2", nullptr, "k3");
    EXPECT_EQ(out,
              "{\"outcome\":\"improved\",\"seq\":5,\"epoch\":\"k3\","
              "\"standing\":{\"rank\":2,\"position\":2,\"player\":\"p2\",\"score\":20,"
              "\"reached_at\":\"2026-09-21T14:13:20.123Z\",\"seq\":9},"
              "\"previous\":{\"rank\":3,\"score\":7},\"passed\":[\"x\",\"y\"],\"to_next\":10,"
              "\"total\":3}");
}

TEST(StandingsJson, WritesAReceiptWithoutAStanding) {
    engine::ChangeOutcome outcome;
    outcome.outcome = ranking::Outcome::kCreated;
    engine::ReceiptReading reading;
    reading.config = std::make_shared<const ledger::BoardConfig>();
    std::string out;
    append_receipt(out, outcome, reading, "p2", nullptr, "k3");
    EXPECT_EQ(out,
              "{\"outcome\":\"created\",\"seq\":0,\"epoch\":\"k3\",\"passed\":[],\"total\":0}");
}

TEST(StandingsJson, NamesTheColumnOfTheGap) {
    auto config = std::make_shared<ledger::BoardConfig>();
    config->rules.columns = {{.name = "points"}, {.name = "time", .decimals = 1}};
    engine::ReceiptReading reading;
    reading.config = config;
    reading.to_next = engine::ReceiptReading::ToNext{1, 25};
    std::string out;
    append_receipt(out, {}, reading, "p", nullptr, "k");
    EXPECT_NE(out.find("\"to_next\":{\"time\":2.5}"), std::string::npos) << out;
}

TEST(StandingsJson, NamesEveryOutcome) {
    using ranking::Outcome;
    const std::pair<Outcome, std::string_view> names[] = {
        {Outcome::kCreated, "created"},     {Outcome::kImproved, "improved"},
        {Outcome::kUnchanged, "unchanged"}, {Outcome::kAdded, "added"},
        {Outcome::kReplaced, "replaced"},   {Outcome::kRemoved, "removed"}};
    for (const auto& [outcome, name] : names) EXPECT_EQ(outcome_name(outcome), name);
}

}  // namespace
}  // namespace standings::api
