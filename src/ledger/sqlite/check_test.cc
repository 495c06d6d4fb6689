#include "ledger/sqlite/check.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>

#include "ledger/sqlite/data_folder.h"
#include "ledger/sqlite/database_copy.h"
#include "ledger/sqlite/mark_file.h"
#include "ledger/sqlite/row_codec.h"
#include "ledger/sqlite/sqlite_ledger.h"
#include "ledger/tiny_engine.h"

namespace standings::ledger {
namespace {

class CheckOfADatabase : public ::testing::Test {
  protected:
    void SetUp() override {
        open();
        board_ = engine_.create_board("a", {});
        for (int i = 0; i < 200; ++i) engine_.submit(board_, "p" + std::to_string(i % 40), {{i}});
        engine_.submit(board_, "p8", {{200}}, {3, 4});
        engine_.remove(board_, {7});
        commit();
        engine_.plan_write_back(1'000'000);
        commit();
        // Some events that entries do not hold yet.
        for (int i = 0; i < 20; ++i) engine_.submit(board_, "p" + std::to_string(i), {{900 + i}});
        commit();
    }
    void open() {
        ledger_ = SqliteLedger::open({.folder = folder_.path(), .reserve_bytes = 0}).value();
    }
    void commit() { ASSERT_EQ(engine_.commit(*ledger_), CommitOutcome::kCommitted); }
    sqlite::CheckReport check() {
        return sqlite::check_database({.database = folder_.database(), .mark = folder_.mark()})
            .value();
    }
    void tamper(const std::string& sql) {
        auto connection =
            sqlite::Connection::open(folder_.database().string(), sqlite::Access::kWrite).value();
        ASSERT_TRUE(connection.exec(sql.c_str()));
    }
    std::string first() {
        const auto report = check();
        if (report.findings.empty()) return "nothing";
        return report.findings[0].table + " (" + report.findings[0].row + ")";
    }

    void copy_to(const std::string& path) {
        auto copy = ledger_->start_backup(path).value();
        for (BackupProgress at; !at.complete; at = copy->step().value()) {
            if (at.wants_pin) {
                ASSERT_TRUE(copy->pin());
            }
        }
    }

    DataFolder folder_;
    std::unique_ptr<SqliteLedger> ledger_;
    TinyEngine engine_{1};
    base::BoardId board_;
};

TEST_F(CheckOfADatabase, FindsNothingWhereNothingIsWrong) {
    const auto report = check();
    EXPECT_TRUE(report.whole()) << report.findings[0].table << ' ' << report.findings[0].row << ' '
                                << report.findings[0].what;
    EXPECT_EQ(report.facts.seq, ledger_->state().last_seq);
    EXPECT_EQ(report.fold_mark, ledger_->state().fold_mark);
    EXPECT_EQ(report.facts.boards, 1U);
    EXPECT_EQ(report.events, report.facts.seq.value);
    EXPECT_GT(report.folded, 30U);
}

TEST_F(CheckOfADatabase, NamesTheRowThatWasChanged) {
    tamper("UPDATE entry SET score_1 = score_1 + 1 WHERE slot = 3");
    EXPECT_EQ(first(), "entry (ranking 1, slot 3)");
}

TEST_F(CheckOfADatabase, NamesAnEventThatWasChangedAndOneThatIsGone) {
    tamper("UPDATE event SET result_1 = 5 WHERE seq = 11");
    EXPECT_EQ(first(), "event (seq 11)");
    tamper("DELETE FROM event WHERE seq BETWEEN 5 AND 6");
    EXPECT_EQ(first(), "event (seq 5 to 6)");
}

// The same bytes, or the same number: every checksum fits, but SQL sees something else.
TEST_F(CheckOfADatabase, NamesARowWithAValueOfAnotherType) {
    const std::pair<const char*, const char*> cases[] = {
        {"player SET id = CAST(id AS BLOB) WHERE slot = 3", "player (ranking 1, slot 3)"},
        {"player SET id = CAST(id AS TEXT) WHERE slot = 3", "nothing"},
        {"entry SET score_3 = 0 WHERE slot = 4", "entry (ranking 1, slot 4)"},
        {"entry SET score_3 = NULL WHERE slot = 4", "nothing"},
        {"event SET result_1 = NULL WHERE seq = 2", "event (seq 2)"},
        {"event SET result_1 = 0 WHERE seq = 2", "nothing"},
        {"event SET key = CAST(key AS TEXT) WHERE seq = 202", "event (seq 202)"},
        {"event SET key = CAST(key AS BLOB) WHERE seq = 202", "nothing"},
        {"board SET slug = CAST(slug AS BLOB)", "board (1)"},
        {"board SET slug = CAST(slug AS TEXT)", "nothing"},
        {"board_column SET name = CAST(name AS BLOB)", "board_column (1)"},
        {"board_column SET name = CAST(name AS TEXT)", "nothing"},
        {"state SET epoch = CAST(epoch AS BLOB)", "state (1)"},
    };
    for (const auto& [change, expected] : cases) {
        tamper("UPDATE " + std::string(change));
        EXPECT_EQ(first(), expected) << change;
    }
}

TEST_F(CheckOfADatabase, QuotesADamagedSchemaInPrintableCharactersOnly) {
    tamper(
        "PRAGMA writable_schema=ON;"
        "UPDATE sqlite_schema SET sql = CAST(x'4352D4410A' AS TEXT) WHERE name = 'board'");
    const auto report =
        sqlite::check_database({.database = folder_.database(), .mark = folder_.mark()});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, base::ErrorCode::kIntegrity);
    EXPECT_NE(report.error().detail.find("CR?A"), std::string::npos) << report.error().detail;
    for (const char c : report.error().detail) EXPECT_TRUE(c >= ' ' && c <= '~');
}

// As a writer with a wrong fold would leave it: every checksum fits.
TEST_F(CheckOfADatabase, ComparesEntriesWithTheFoldOfTheirEvents) {
    auto connection =
        sqlite::Connection::open(folder_.database().string(), sqlite::Access::kWrite).value();
    auto read =
        connection
            .prepare("SELECT " + std::string(sqlite::kEntryColumns) + " FROM entry WHERE slot = 30")
            .value();
    ASSERT_TRUE(read.step().value());
    EntryRecord entry;
    ASSERT_TRUE(sqlite::read_entry(read, entry));
    read = {};
    ++entry.entry.submissions;
    auto put = connection.prepare(sqlite::kPutEntry).value();
    sqlite::bind_entry(put, entry);
    ASSERT_TRUE(put.run());
    EXPECT_EQ(first(), "entry (ranking 1, slot 30)");
    --entry.entry.submissions;
    entry.entry.scores.units[0] += 1;
    sqlite::bind_entry(put, entry);
    ASSERT_TRUE(put.run());
    EXPECT_EQ(first(), "entry (ranking 1, slot 30)");
}

TEST_F(CheckOfADatabase, ComparesTheMarkWithTheNewestEvent) {
    const auto mark = sqlite::MarkFile::inspect(folder_.mark()).value();
    ASSERT_TRUE(mark.newest);
    EXPECT_TRUE(mark.damaged.empty());
    tamper("DELETE FROM event WHERE seq > 215");
    EXPECT_EQ(first(), "mark ()");
}

TEST_F(CheckOfADatabase, SeesOneSnapshotBesideTheWriter) {
    for (int i = 0; i < 20; ++i) {
        engine_.submit(board_, "p1", {{2000 + i}});
        commit();
        ASSERT_TRUE(check().whole());
    }
}

TEST_F(CheckOfADatabase, ReadsASealedCopyAndGivesItANewEpoch) {
    const std::string path = (folder_.path() / "copy.db").string();
    copy_to(path);
    const auto facts = ledger_->seal_backup(path, {}).value();
    EXPECT_TRUE(sqlite::check_database({.database = path, .frozen = true}).value().whole());
    base::SystemRandom random;
    const auto mark = sqlite::renew_epoch(path, random).value();
    EXPECT_NE(mark.epoch, facts.epoch);
    EXPECT_EQ(mark.seq, facts.seq);
    EXPECT_EQ(mark.chain, facts.chain);
    const auto report = sqlite::check_database({.database = path, .frozen = true}).value();
    EXPECT_TRUE(report.whole());
    EXPECT_EQ(report.facts.epoch, mark.epoch);
    EXPECT_FALSE(std::filesystem::exists(path + "-wal"));
    EXPECT_FALSE(std::filesystem::exists(path + "-shm"));
}

TEST_F(CheckOfADatabase, RefusesToSealWhatIsNotWhole) {
    const std::string path = (folder_.path() / "copy.db").string();
    copy_to(path);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    EXPECT_FALSE(ledger_->seal_backup(path, {}));
}

TEST_F(CheckOfADatabase, EndsToSealACopyWhenItIsCancelled) {
    // Past the fold mark, so that there is something to read.
    for (int i = 0; i < 3000; ++i) {
        engine_.submit(board_, "p" + std::to_string(i), {{i}});
        if (i % 100 == 99) commit();
    }
    const std::string path = (folder_.path() / "copy.db").string();
    copy_to(path);
    // Before the first byte is synced; in the middle of the reading.
    int asked = 0;
    for (const int patience : {0, 1, 3}) {
        asked = 0;
        const auto cancelled = [&] { return ++asked > patience; };
        const auto facts = ledger_->seal_backup(path, cancelled);
        ASSERT_FALSE(facts) << patience;
        EXPECT_EQ(facts.error().code, base::ErrorCode::kCancelled) << facts.error().detail;
    }
    EXPECT_TRUE(ledger_->seal_backup(path, [] { return false; }));
}

}  // namespace
}  // namespace standings::ledger
