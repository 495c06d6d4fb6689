#include "ledger/sqlite/sqlite_ledger.h"

#include <atomic>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "ledger/ledger_contract.h"
#include "ledger/sqlite/data_folder.h"
#include "ledger/sqlite/mark_file.h"

namespace standings::ledger {
namespace {

struct SqliteSubject {
    DataFolder folder;
    std::unique_ptr<Ledger> open() {
        auto ledger = SqliteLedger::open(
            {.folder = folder.path(), .reserve_bytes = 1 << 16, .checkpoint_pages = 20});
        if (!ledger) std::cerr << ledger.error().detail << '\n';
        return *std::move(ledger);
    }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, LedgerContract, SqliteSubject);

class Sqlite : public ::testing::Test {
  protected:
    base::Result<std::unique_ptr<SqliteLedger>> try_open(bool accept_data_loss = false) {
        return SqliteLedger::open({.folder = folder_.path(),
                                   .accept_data_loss = accept_data_loss,
                                   .reserve_bytes = 0,
                                   .checkpoint_pages = 20});
    }
    void open() { ledger_ = try_open().value(); }
    void close() {
        ASSERT_TRUE(ledger_->close());
        ledger_.reset();
    }
    void fill(std::int64_t events) {
        if (engine_.state().boards.empty()) board_ = engine_.create_board("a", {});
        for (std::int64_t i = 0; i < events; ++i) {
            engine_.submit(board_, "p" + std::to_string(i % 50), {{i}});
        }
        ASSERT_EQ(engine_.commit(*ledger_), CommitOutcome::kCommitted);
    }
    void fold() {
        engine_.plan_write_back(1'000'000);
        ASSERT_EQ(engine_.commit(*ledger_), CommitOutcome::kCommitted);
    }
    // As somebody with a shell and bad intentions.
    void tamper(const std::string& sql) {
        auto connection =
            sqlite::Connection::open(folder_.database().string(), sqlite::Access::kWrite).value();
        ASSERT_TRUE(connection.exec(sql.c_str()));
    }
    std::string integrity_error(const base::Error& error) {
        EXPECT_EQ(error.code, base::ErrorCode::kIntegrity) << error.detail;
        return error.detail;
    }
    template <class Row>
    base::Error first_error(base::Result<std::unique_ptr<Cursor<Row>>> cursor) {
        Row row;
        while (true) {
            const auto found = cursor.value()->next(row);
            if (!found) return found.error();
            if (!*found) return {base::ErrorCode::kInvalid, "no damage was seen"};
        }
    }

    DataFolder folder_;
    std::unique_ptr<SqliteLedger> ledger_;
    TinyEngine engine_{1};
    base::BoardId board_;
};

// --- the file ---------------------------------------------------------------------------------

TEST_F(Sqlite, IsLaidOutAsTheDesignSays) {
    open();
    fill(3);
    auto connection =
        sqlite::Connection::open(folder_.database().string(), sqlite::Access::kRead).value();
    EXPECT_EQ(connection.query_number("PRAGMA application_id").value(), sqlite::kApplicationId);
    EXPECT_EQ(connection.query_number("PRAGMA user_version").value(), sqlite::kSchemaVersion);
    EXPECT_EQ(connection.query_number("PRAGMA page_size").value(), 4096);
    EXPECT_EQ(connection.query_number("PRAGMA auto_vacuum").value(), 2);
    auto mode = connection.prepare("PRAGMA journal_mode").value();
    ASSERT_TRUE(mode.step().value());
    EXPECT_EQ(mode.text(0), "wal");
    mode.reset();
    EXPECT_FALSE(connection.exec("DELETE FROM event"));
    // A clean end leaves one file that holds all.
    mode = {};
    connection = sqlite::Connection::open(":memory:", sqlite::Access::kWrite).value();
    close();
    EXPECT_FALSE(std::filesystem::exists(folder_.database().string() + "-wal"));
}

TEST_F(Sqlite, RefusesADatabaseOfAnotherProgram) {
    tamper("CREATE TABLE recipes (name TEXT)");
    EXPECT_EQ(try_open().error().code, base::ErrorCode::kSchema);
    auto connection =
        sqlite::Connection::open(folder_.database().string(), sqlite::Access::kRead).value();
    auto mode = connection.prepare("PRAGMA journal_mode").value();
    ASSERT_TRUE(mode.step().value());
    EXPECT_EQ(mode.text(0), "delete");  // left as it was
}

TEST_F(Sqlite, RefusesANewerSchema) {
    open();
    close();
    tamper("PRAGMA user_version = 3");
    EXPECT_EQ(try_open().error().code, base::ErrorCode::kSchema);
}

TEST_F(Sqlite, RefusesAFileThatIsNoDatabase) {
    std::ofstream(folder_.database()) << std::string(10'000, 'x');
    EXPECT_FALSE(try_open());
}

// --- the mark ---------------------------------------------------------------------------------

TEST_F(Sqlite, TheMarkIsAsNewAsTheLastAnswer) {
    open();
    fill(7);
    const auto mark = sqlite::MarkFile::open(folder_.mark()).value().found();
    ASSERT_TRUE(mark);
    EXPECT_EQ(mark->seq, ledger_->state().last_seq);
    EXPECT_EQ(mark->epoch, ledger_->state().epoch);
    EXPECT_EQ(mark->database_id, ledger_->database_id());
    EXPECT_EQ(std::filesystem::file_size(folder_.mark()), 4096U);
}

TEST_F(Sqlite, ADatabaseBelowTheMarkIsRefusedUntilTheLossIsAccepted) {
    open();
    fill(4);
    close();
    const auto older = folder_.path() / "older";
    std::filesystem::copy_file(folder_.database(), older);
    open();
    fill(20);
    close();
    std::filesystem::copy_file(older, folder_.database(),
                               std::filesystem::copy_options::overwrite_existing);
    EXPECT_NE(integrity_error(try_open().error()).find("events 6 to 25"), std::string::npos);
    EXPECT_NE(integrity_error(try_open().error()).find("--accept-data-loss"), std::string::npos);

    auto accepted = try_open(true);
    ASSERT_TRUE(accepted);
    EXPECT_EQ((*accepted)->state().last_seq.value, 5U);
    EXPECT_FALSE((*accepted)->notes().empty());
    const std::string new_epoch = (*accepted)->state().epoch;
    accepted->reset();
    open();
    EXPECT_EQ(ledger_->state().epoch, new_epoch);
    EXPECT_TRUE(ledger_->notes().empty());
}

TEST_F(Sqlite, ADatabaseThatIsGoneIsRefusedToo) {
    open();
    fill(4);
    close();
    std::filesystem::remove(folder_.database());
    integrity_error(try_open().error());
    auto accepted = try_open(true);
    ASSERT_TRUE(accepted);
    EXPECT_EQ((*accepted)->state().last_seq.value, 0U);
}

TEST_F(Sqlite, AnotherHistoryWithTheSameLengthIsRefused) {
    open();
    fill(4);
    close();
    tamper("UPDATE event SET chain = chain + 1 WHERE seq = 5");
    integrity_error(try_open().error());
}

TEST_F(Sqlite, AMarkThatIsOlderIsNoAlarm) {
    open();
    fill(4);
    const auto older = folder_.path() / "older";
    std::filesystem::copy_file(folder_.mark(), older);
    fill(5);
    close();
    std::filesystem::copy_file(older, folder_.mark(),
                               std::filesystem::copy_options::overwrite_existing);
    open();
    EXPECT_TRUE(ledger_->notes().empty());
    EXPECT_EQ(sqlite::MarkFile::open(folder_.mark()).value().found()->seq,
              ledger_->state().last_seq);
}

TEST_F(Sqlite, ATornSlotFallsBackToTheOther) {
    open();
    fill(4);
    fill(5);
    close();
    for (const std::streamoff slot : {0, 2048}) {
        const auto copy = folder_.path() / "torn";
        std::filesystem::copy_file(folder_.mark(), copy,
                                   std::filesystem::copy_options::overwrite_existing);
        std::fstream(copy, std::ios::in | std::ios::out | std::ios::binary)
            .seekp(slot + 20)
            .write("torn", 4);
        const auto mark = sqlite::MarkFile::open(copy).value().found();
        ASSERT_TRUE(mark);
        EXPECT_TRUE(mark->seq.value == 5 || mark->seq.value == 10);
    }
}

TEST_F(Sqlite, AMissingOrUnreadableMarkIsMadeAnewAndToldOf) {
    open();
    fill(4);
    close();
    std::filesystem::remove(folder_.mark());
    open();
    EXPECT_EQ(ledger_->notes().size(), 1U);
    close();
    std::ofstream(folder_.mark()) << std::string(4096, 'x');
    open();
    EXPECT_EQ(ledger_->notes().size(), 1U);
    close();
    open();
    EXPECT_TRUE(ledger_->notes().empty());
}

TEST_F(Sqlite, ATornWalIsSeenByTheMark) {
    open();
    fill(4);
    fold();
    fill(30);
    // The process dies; its WAL loses its end.
    std::filesystem::copy(folder_.path(), folder_.path().string() + "-torn",
                          std::filesystem::copy_options::recursive);
    const std::filesystem::path torn = folder_.path().string() + "-torn";
    std::filesystem::remove(torn / "standings.db-shm");
    const auto wal = torn / "standings.db-wal";
    std::filesystem::resize_file(wal, std::filesystem::file_size(wal) - 100);
    const auto opened = SqliteLedger::open({.folder = torn, .reserve_bytes = 0});
    integrity_error(opened.error());
    std::filesystem::remove_all(torn);
}

// --- damage -----------------------------------------------------------------------------------

TEST_F(Sqlite, AChangedRowIsNamedAndNotServed) {
    open();
    fill(60);
    engine_.rename(board_, {3}, {.name = "Ada", .meta = {}});
    ASSERT_EQ(engine_.commit(*ledger_), CommitOutcome::kCommitted);
    fold();
    fill(3);
    close();

    tamper("UPDATE entry SET score_1 = score_1 + 1 WHERE slot = 5");
    open();
    EXPECT_NE(integrity_error(first_error(ledger_->entries())).find("(ranking 1, slot 5)"),
              std::string::npos);
    close();
    tamper("UPDATE entry SET score_1 = score_1 - 1, slot = 7000 WHERE slot = 5");
    open();
    EXPECT_NE(integrity_error(first_error(ledger_->entries())).find("entry"), std::string::npos);
    close();

    tamper("UPDATE player SET name = 'Eve' WHERE slot = 3");
    open();
    EXPECT_NE(integrity_error(first_error(ledger_->players())).find("player"), std::string::npos);
    integrity_error(ledger_->details({{1}, {3}}).error());
    close();

    tamper("UPDATE board SET ties = 'earliest'");
    open();
    EXPECT_NE(integrity_error(ledger_->boards().error()).find("board"), std::string::npos);
    close();
    tamper("UPDATE board SET ties = 'shared'; UPDATE board_column SET decimals = 1");
    open();
    integrity_error(ledger_->boards().error());
    close();

    tamper("UPDATE event SET result_1 = result_1 + 1 WHERE seq = 64");
    open();
    EXPECT_NE(integrity_error(first_error(ledger_->events(ledger_->state().fold_mark))).find("64"),
              std::string::npos);
    integrity_error(ledger_->event({64}).error());
    close();
    tamper(
        "UPDATE event SET result_1 = result_1 - 1 WHERE seq = 64;"
        "UPDATE event SET chain = chain + 1 WHERE seq = 64");
    open();
    integrity_error(first_error(ledger_->events(ledger_->state().fold_mark)));
    close();
    tamper("DELETE FROM event WHERE seq = 64");
    open();
    integrity_error(first_error(ledger_->events(ledger_->state().fold_mark)));
    close();
    tamper("UPDATE state SET fold_mark = 1");
    integrity_error(try_open().error());
}

TEST_F(Sqlite, ABoardThatIsLostIsNoDeletedOne) {
    open();
    fill(60);
    fold();
    close();
    tamper("DELETE FROM board");
    open();
    EXPECT_NE(integrity_error(first_error(ledger_->entries())).find("ranking 1"),
              std::string::npos);
    EXPECT_NE(integrity_error(first_error(ledger_->players())).find("ranking 1"),
              std::string::npos);
    close();
    tamper("INSERT INTO old_ranking VALUES (1)");
    open();
    ledger::EntryRecord entry;
    auto entries = ledger_->entries().value();
    EXPECT_FALSE(entries->next(entry).value());
}

// Any one bit of the file: the ledger gives what was committed, or says that it cannot.
TEST_F(Sqlite, AFlippedBitIsNeverServed) {
    open();
    fill(60);
    fold();
    fill(5);
    close();
    std::string bytes;
    {
        std::ifstream file(folder_.database(), std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(file), {});
    }
    const std::uint64_t seed = test_seed();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    int seen = 0;
    for (int i = 0; i < 150; ++i) {
        std::string damaged = bytes;
        const std::size_t at = random() % damaged.size();
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
        std::ofstream(folder_.database(), std::ios::binary) << damaged;
        std::filesystem::remove(folder_.database().string() + "-wal");
        std::filesystem::remove(folder_.database().string() + "-shm");
        auto ledger = try_open();
        if (!ledger) {
            ++seen;
            continue;
        }
        // As a start reads it: all of it, each event follows from what is there before it, and then
        // each player has an entry or a later event.
        const auto whole = [&] {
            std::set<EntryKey> players;
            std::set<EntryKey> entries;
            bool follows = true;
            const auto good = [](auto cursor, auto row, auto note) {
                if (!cursor) return false;
                while (true) {
                    const auto found = (*cursor)->next(row);
                    if (!found) return false;
                    if (!*found) return true;
                    note(row);
                }
            };
            return (*ledger)->boards() &&
                   good((*ledger)->players(), PlayerRecord{},
                        [&](const PlayerRecord& row) { players.insert(row.key); }) &&
                   good((*ledger)->entries(), EntryRecord{},
                        [&](const EntryRecord& row) { entries.insert(row.key); }) &&
                   good((*ledger)->events((*ledger)->state().fold_mark), Event{},
                        [&](const Event& event) {
                            const EntryKey key{event.ranking, event.slot};
                            if (event.had_entry && !entries.contains(key)) follows = false;
                            entries.insert(key);
                        }) &&
                   follows && players == entries;
        }();
        if (!whole) {
            ++seen;
            continue;
        }
        // Nothing was noticed: then nothing that is served may differ.
        const TinyState found = TinyEngine::rebuild(**ledger);
        ASSERT_EQ(found.players, engine_.state().players) << "byte " << at;
        ASSERT_EQ(found.boards, engine_.state().boards) << "byte " << at;
    }
    EXPECT_GT(seen, 5);
    EXPECT_LT(seen, 150) << "some bits are free";
}

// --- running ------------------------------------------------------------------------------------

TEST_F(Sqlite, CheckpointsKeepTheWalBounded) {
    open();
    for (int i = 0; i < 300; ++i) {
        fill(20);
        while (ledger_->maintain({1'700'000'000'000}, kNoKeys).value()) {
        }
    }
    // 20 pages between checkpoints, and the pages of one batch on top.
    EXPECT_LT(ledger_->sizes().wal_bytes, 100U * 4120);
    EXPECT_EQ(ledger_->sizes().events, ledger_->state().last_seq.value);
    EXPECT_GT(ledger_->sizes().database_bytes, 100'000U);
}

TEST_F(Sqlite, AReaderSeesAWholeBatchOrNoneOfIt) {
    open();
    fill(1);
    std::atomic<bool> done = false;
    std::uint64_t looks = 0;
    std::thread shell([&] {
        auto connection =
            sqlite::Connection::open(folder_.database().string(), sqlite::Access::kRead).value();
        auto count = connection.prepare("SELECT count(*), max(seq) FROM event").value();
        while (!done) {
            ASSERT_TRUE(count.step().value());
            ASSERT_EQ((count.number(0) - 2) % 10, 0);
            ASSERT_EQ(count.number(0), count.number(1));
            count.reset();
            ++looks;
        }
    });
    for (int i = 0; i < 200; ++i) {
        fill(10);
        ASSERT_TRUE(ledger_->maintain({0}, kNoKeys));
    }
    done = true;
    shell.join();
    EXPECT_GT(looks, 0U);
}

TEST_F(Sqlite, RetentionKeepsTheYoungAndWhatTheFoldMarkNeeds) {
    constexpr std::int64_t kDay = sqlite::kDayMs;
    const auto with = [&](sqlite::Retention retention) {
        ledger_ = SqliteLedger::open(
                      {.folder = folder_.path(), .retention = retention, .reserve_bytes = 0})
                      .value();
    };
    const auto kept = [&](std::int64_t now) {
        while (ledger_->maintain({now}, kNoKeys).value()) {
        }
        return all_of(ledger_->events({0}));
    };
    with({.age_ms = 30 * kDay, .bytes = 1ULL << 40});
    fill(3000);
    const std::int64_t at = ledger_->event({1}).value()->at.ms;
    // Nothing is folded: a start needs all.
    EXPECT_EQ(kept(at + 40 * kDay).size(), 3001U);
    fold();
    ledger_.reset();
    with({.age_ms = 30 * kDay, .bytes = 1ULL << 40});
    EXPECT_EQ(kept(at + 29 * kDay).size(), 3001U);
    // Old enough: all but the event at the fold mark, which the next one's chain hangs on.
    EXPECT_EQ(kept(at + 31 * kDay).size(), 1U);
    engine_.check_against(*ledger_);

    // Too large.
    fill(3000);
    fold();
    ledger_.reset();
    with({.age_ms = 30 * kDay, .bytes = 1});
    EXPECT_EQ(kept(at).size(), 1U);
    ledger_.reset();
    open();
    engine_.check_against(*ledger_);
}

TEST_F(Sqlite, RetentionKeepsWhatRememberedKeysNeed) {
    const auto first_kept = [&](sqlite::Retention retention, base::Sequence remembered) {
        ledger_.reset();
        ledger_ = SqliteLedger::open(
                      {.folder = folder_.path(), .retention = retention, .reserve_bytes = 0})
                      .value();
        while (ledger_->maintain({INT64_MAX / 2}, remembered).value()) {
        }
        return all_of(ledger_->events({0})).front().seq.value;
    };
    open();
    fill(5000);
    fold();
    EXPECT_EQ(first_kept({.age_ms = 1}, {10}), 10U);
    EXPECT_EQ(first_kept({.age_ms = INT64_MAX / 2, .bytes = 1}, {3000}), 3000U);
    EXPECT_EQ(first_kept({.age_ms = 1}, kNoKeys), 5001U);
}

TEST_F(Sqlite, FreedPagesGoBackToTheFileSystem) {
    open();
    for (int i = 0; i < 40; ++i) fill(2000);
    fold();
    const auto upkeep = [&](std::int64_t now) {
        while (ledger_->maintain({now}, kNoKeys).value()) {
        }
    };
    upkeep(0);
    ASSERT_TRUE(ledger_->close());
    const std::uint64_t before = std::filesystem::file_size(folder_.database());
    ledger_.reset();
    open();
    const std::int64_t at = ledger_->event({1}).value()->at.ms;
    upkeep(at + 40 * sqlite::kDayMs);
    close();
    EXPECT_LT(std::filesystem::file_size(folder_.database()), before * 7 / 10);
    open();
    engine_.check_against(*ledger_);
}

}  // namespace
}  // namespace standings::ledger
