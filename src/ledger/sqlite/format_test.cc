// Files that earlier versions wrote are still read: a stored sample of each, against plain values.
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <string>

#include "ledger/ledger_contract.h"
#include "ledger/sqlite/data_folder.h"
#include "ledger/sqlite/mark_file.h"
#include "ledger/sqlite/sqlite_ledger.h"

namespace standings::ledger {
namespace {

TEST(Format, ADatabaseOfSchemaVersionOneIsRead) {
    const DataFolder folder;
    {
        std::ifstream file(STANDINGS_TESTDATA "/v1.sql");
        const std::string sql(std::istreambuf_iterator<char>(file), {});
        ASSERT_FALSE(sql.empty());
        auto connection =
            sqlite::Connection::open(folder.database().string(), sqlite::Access::kWrite).value();
        ASSERT_TRUE(connection.exec(sql.c_str()));
    }
    auto ledger = SqliteLedger::open({.folder = folder.path(), .reserve_bytes = 0}).value();
    EXPECT_EQ(ledger->database_id(), "684e9a8e3849b4090010001b6563dc99");
    EXPECT_EQ(ledger->state().epoch, "bwohou7zhd");
    EXPECT_EQ(ledger->state().last_seq.value, 8U);
    EXPECT_EQ(ledger->state().fold_mark.value, 4U);
    EXPECT_EQ(ledger->state().next_board.value, 3U);
    EXPECT_EQ(ledger->state().hash_seed, static_cast<std::uint64_t>(-5357091026478884253));

    const auto boards = ledger->boards().value();
    ASSERT_EQ(boards.size(), 2U);
    EXPECT_EQ(boards[0].slug, "league");
    EXPECT_EQ(boards[0].config.rules.rule, ranking::Rule::kSum);
    ASSERT_EQ(boards[0].config.rules.columns.size(), 2U);
    EXPECT_EQ(boards[0].config.rules.columns[1],
              (ranking::Column{"time", ranking::Order::kAscending, 3}));
    EXPECT_EQ(boards[0].config.limits[0].min, -1'000'000'000);

    const auto players = all_of(ledger->players());
    ASSERT_EQ(players.size(), 3U);
    EXPECT_EQ(players[1].player, "bob");
    EXPECT_EQ(players[1].details, (Details{"Bob Ü.", "{\"car\":\"gt3\"}"}));
    const auto entries = all_of(ledger->entries());
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[1].entry.scores, (ranking::Scores{{3, -250}}));
    EXPECT_EQ(entries[1].entry.reached_at.ms, 1'700'000'000'014);

    const auto events = all_of(ledger->events({0}));
    ASSERT_EQ(events.size(), 8U);
    EXPECT_EQ(events[1].key, (base::Hash128{1, 2}));
    EXPECT_EQ(events[5].kind, EventKind::kRemove);
    EXPECT_EQ(events[6].result, (ranking::Scores{{9'007'199'254'740'991, 1000}}));
    EXPECT_EQ(events[6].prev_seq.value, 2U);
    // From the fold mark on the chain is verified as well.
    EXPECT_EQ(all_of(ledger->events({4})).size(), 4U);

    const auto stream = ledger->stream({~0ULL, 7}).value();
    ASSERT_TRUE(stream);
    EXPECT_EQ(stream->running_hash, 0xfedcba9876543210ULL);

    // Version 1 had no index of keys, and said the key of an array with each of its events.
    EXPECT_EQ(all_of(ledger->keyed_events(std::chrono::hours(24), 100)).front().key,
              (base::Hash128{1, 2}));

    // The views are part of the format too.
    auto connection =
        sqlite::Connection::open(folder.database().string(), sqlite::Access::kRead).value();
    auto row =
        connection.prepare("SELECT player, score_1, score_2, reached_at FROM standings").value();
    ASSERT_TRUE(row.step().value());
    EXPECT_EQ(row.text(0), "ada");
    EXPECT_EQ(row.number(1), 9'007'199'254'740'991);
    EXPECT_EQ(row.text(2), "1");
    ASSERT_TRUE(row.step().value());
    EXPECT_EQ(row.text(2), "-0.25");
    EXPECT_EQ(row.text(3), "2023-11-14T22:13:20.014Z");
    EXPECT_FALSE(row.step().value());
}

// Views are not data: a file has those of the program that opened it last.
TEST(Format, AnOlderFileGetsThePresentViewsAndIndexOnce) {
    const DataFolder folder;
    const auto open = [&] {
        return SqliteLedger::open({.folder = folder.path(), .reserve_bytes = 0}).value();
    };
    const auto shape = [&] {
        auto connection =
            sqlite::Connection::open(folder.database().string(), sqlite::Access::kRead).value();
        auto row =
            connection.prepare("SELECT name || sql FROM sqlite_schema ORDER BY name").value();
        std::string all;
        while (row.step().value()) all += row.text(0);
        return all;
    };
    const auto version = [&] {
        auto connection =
            sqlite::Connection::open(folder.database().string(), sqlite::Access::kRead).value();
        return connection.query_number("PRAGMA schema_version").value();
    };
    open();
    const std::string fresh = shape();
    const std::int64_t first = version();
    open();
    EXPECT_EQ(version(), first) << "a file that has them is left alone";
    {
        auto connection =
            sqlite::Connection::open(folder.database().string(), sqlite::Access::kWrite).value();
        ASSERT_TRUE(
            connection.exec("DROP VIEW recent_entry; DROP INDEX event_undoing;"
                            "CREATE VIEW recent_entry AS SELECT 1;"));
    }
    ASSERT_NE(shape(), fresh);
    open();
    EXPECT_EQ(shape(), fresh);
}

TEST(Format, TheFirstMarkIsRead) {
    const DataFolder folder;
    std::string file(4096, '\0');
    const std::string head(
        "STNDMRK1\x04\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\xe7\xcd\xfe\x07\xbc\x05\x68\x75", 32);
    file.replace(0, 32, head);
    file.replace(32, 42, "684e9a8e3849b4090010001b6563dc99bwohou7zhd");
    file.replace(80, 4, "\xe8\x7c\xc8\xa6");
    std::ofstream(folder.mark(), std::ios::binary) << file;
    const auto mark = sqlite::MarkFile::open(folder.mark()).value().found();
    ASSERT_TRUE(mark);
    EXPECT_EQ(*mark, (sqlite::Mark{.database_id = "684e9a8e3849b4090010001b6563dc99",
                                   .epoch = "bwohou7zhd",
                                   .seq = {8},
                                   .chain = 0x756805bc07fecde7ULL}));
}

}  // namespace
}  // namespace standings::ledger
