#include "ledger/sqlite/online_copy.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "base/random.h"
#include "ledger/sqlite/data_folder.h"
#include "ledger/sqlite/database_copy.h"
#include "ledger/sqlite/schema.h"
#include "ledger/tiny_engine.h"

namespace standings::ledger::sqlite {
namespace {

// A writer with large random rows in a table of its own, and others who read.
class Writer {
  public:
    explicit Writer(const std::string& path, std::uint64_t seed)
        : path_(path), random_(seed), connection_(Connection::open(path, Access::kWrite).value()) {
        base::SystemRandom random;
        EXPECT_TRUE(configure_writer(connection_, 1 << 20));
        EXPECT_TRUE(create(connection_, random));
        exec("CREATE TABLE load(id INTEGER PRIMARY KEY, bytes BLOB)");
        checkpointer_ = std::make_unique<Checkpointer>(connection_, 100);
    }

    void exec(const std::string& sql) {
        const auto done = connection_.exec(sql.c_str());
        EXPECT_TRUE(done) << done.error().detail;
    }
    void fill(int rows) {
        exec("BEGIN");
        for (int i = 0; i < rows; ++i) {
            exec("INSERT INTO load(bytes) VALUES (randomblob(" + number(100, 9000) + "))");
        }
        exec("COMMIT");
    }
    void work() {
        switch (pick(8)) {
            case 0:
                return fill(static_cast<int>(pick(60)));
            case 1:
                return exec("DELETE FROM load WHERE id % 40 = " + number(0, 39));
            case 2:
                return exec("PRAGMA incremental_vacuum(" + number(1, 60) + ")");
            case 3:
                return hold();
            default:
                exec("UPDATE load SET bytes = randomblob(" + number(100, 9000) +
                     ") WHERE id % 60 = " + number(0, 59));
        }
    }
    // Somebody reads for a while, and is in the way of checkpoints.
    void hold() {
        if (reader_) return reader_.reset();
        reader_.emplace(Connection::open(path_, Access::kRead).value());
        EXPECT_TRUE(reader_->exec("BEGIN; SELECT count(*) FROM load"));
    }
    Checkpointer& checkpointer() { return *checkpointer_; }
    Connection& connection() { return connection_; }
    std::uint64_t pick(std::uint64_t below) { return random_() % below; }

    base::Result<std::unique_ptr<LedgerCopy>> start_copy(const std::string& to) {
        moved_ = std::make_shared<MovedPages>();
        EXPECT_TRUE(checkpointer_->watch(moved_));
        auto shared = moved_;
        return OnlineCopy::start(
            Connection::open(path_, Access::kRead).value(), std::move(shared),
            [this] { return checkpointer_->run(); }, to);
    }
    std::shared_ptr<MovedPages> take_moved() { return std::move(moved_); }

  private:
    std::string number(std::uint64_t from, std::uint64_t to) {
        return std::to_string(from + pick(to - from + 1));
    }

    std::string path_;
    std::mt19937_64 random_;
    Connection connection_;
    std::unique_ptr<Checkpointer> checkpointer_;
    std::optional<Connection> reader_;
    std::shared_ptr<MovedPages> moved_;
};

// What a database holds, page by page of its tables.
std::string contents(Connection& connection) {
    auto statement = connection
                         .prepare(
                             "SELECT count(*) || ' rows, ' || coalesce(sum(length(bytes)), 0) "
                             "|| ' bytes, ' || coalesce(max(id), 0) || ' last, ' || "
                             "coalesce(group_concat(hex(substr(bytes, 50, 4)), ''), '') "
                             "FROM (SELECT * FROM load ORDER BY id)")
                         .value();
    EXPECT_TRUE(statement.step().value());
    return std::string(statement.text(0));
}

std::string whole(const std::string& path) {
    auto connection = Connection::open(path, Access::kFrozen).value();
    auto check = connection.prepare("PRAGMA integrity_check").value();
    if (const auto row = check.step(); !row || check.text(0) != "ok") return "damaged";
    return contents(connection);
}

struct OnlineCopyTest : ::testing::Test {
    DataFolder folder;
    std::string copy_path = (folder.path() / "copy.db").string();

    void remove_copy() {
        for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(copy_path + suffix);
    }
    // What was committed at the pin, and what the copy holds.
    std::pair<std::string, std::string> copy(Writer& writer, bool deaf) {
        remove_copy();
        auto copy = writer.start_copy(copy_path).value();
        auto moved = writer.take_moved();
        std::string pinned;
        for (BackupProgress at; !at.complete;) {
            for (auto left = writer.pick(3); left > 0; --left) writer.work();
            if (writer.pick(2) == 0) {
                EXPECT_TRUE(writer.checkpointer().run());
            }
            // A copy that is not told what was moved.
            if (deaf) moved->take();
            at = copy->step().value();
            if (!at.wants_pin) continue;
            pinned = contents(writer.connection());
            EXPECT_TRUE(copy->pin());
        }
        copy.reset();
        const auto sealed = seal_copy(copy_path, {});
        return {pinned, sealed ? whole(copy_path) : sealed.error().detail};
    }
};

TEST_F(OnlineCopyTest, IsTheDatabaseOfItsPinWhateverIsWrittenMeanwhile) {
    const std::uint64_t start = test_seed();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(start));
    Writer writer(folder.database().string(), start);
    writer.fill(1500);
    for (int round = 0; round < 6; ++round) {
        const auto [pinned, copied] = copy(writer, false);
        ASSERT_EQ(pinned, copied) << "round " << round;
    }
}

// The control: without the pages that were moved behind its place it is another database.
TEST_F(OnlineCopyTest, NeedsToBeToldWhatWasMoved) {
    Writer writer(folder.database().string(), 1);
    writer.fill(1500);
    int wrong = 0;
    for (int round = 0; round < 5; ++round) {
        const auto [pinned, copied] = copy(writer, true);
        if (pinned != copied) ++wrong;
    }
    EXPECT_GT(wrong, 0);
}

// A shell that may write, and checkpoints: pages were moved that nobody took note of.
struct AnotherProgram : OnlineCopyTest {
    Writer writer{folder.database().string(), 1};

    void checkpoint(const std::string& kind) {
        auto other = Connection::open(folder.database().string(), Access::kWrite).value();
        EXPECT_TRUE(other.exec(("PRAGMA wal_checkpoint(" + kind + ")").c_str()));
    }
    void expect_given_up(LedgerCopy& copy) {
        ASSERT_TRUE(writer.checkpointer().run());
        const auto step = copy.step();
        ASSERT_FALSE(step);
        EXPECT_EQ(step.error().code, base::ErrorCode::kBusy);
    }
};

TEST_F(AnotherProgram, EmptiesTheWal) {
    writer.fill(500);
    auto copy = writer.start_copy(copy_path).value();
    writer.fill(10);
    checkpoint("TRUNCATE");
    expect_given_up(*copy);
}

TEST_F(AnotherProgram, MovesAllAndTheWalBeginsAnew) {
    writer.fill(500);
    auto copy = writer.start_copy(copy_path).value();
    writer.fill(10);
    checkpoint("PASSIVE");
    writer.fill(10);
    expect_given_up(*copy);
}

TEST_F(AnotherProgram, MovesTheRestOfAWalThatAReaderHasHeld) {
    writer.fill(500);
    auto copy = writer.start_copy(copy_path).value();
    writer.hold();
    writer.fill(10);
    ASSERT_TRUE(writer.checkpointer().run());
    writer.fill(10);
    writer.hold();
    checkpoint("PASSIVE");
    writer.fill(10);
    expect_given_up(*copy);
}

// What is still in the WAL was moved by somebody, and is noted all the same.
TEST_F(AnotherProgram, MovesWhatIsNotedAfterwards) {
    writer.fill(500);
    auto copy = writer.start_copy(copy_path).value();
    writer.fill(10);
    checkpoint("PASSIVE");
    ASSERT_TRUE(writer.checkpointer().run());
    EXPECT_TRUE(copy->step());
}

}  // namespace
}  // namespace standings::ledger::sqlite
