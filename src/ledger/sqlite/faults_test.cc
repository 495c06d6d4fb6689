// What the ledger answers when the disk fails, and what is there afterwards.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <string>
#include <vector>

#include "ledger/ledger_contract.h"
#include "ledger/sqlite/data_folder.h"
#include "ledger/sqlite/faulty_vfs.h"
#include "ledger/sqlite/sqlite_ledger.h"

namespace standings::ledger {
namespace {

using sqlite::FaultyVfs;
using sqlite::FileCall;

class Faults : public ::testing::Test {
  protected:
    std::unique_ptr<SqliteLedger> open(bool with_faults = true) {
        auto ledger = SqliteLedger::open({.folder = folder_.path(),
                                          .reserve_bytes = 1 << 16,
                                          .checkpoint_pages = 1'000'000,
                                          .vfs = with_faults ? vfs_.name() : ""});
        if (!ledger) std::cerr << ledger.error().detail << '\n';
        return *std::move(ledger);
    }
    void start() {
        ledger_ = open();
        board_ = engine_.create_board("a", {});
        submit();
    }
    // One committed batch, or what became of it.
    CommitOutcome submit() {
        ++score_;
        engine_.submit(board_, "p" + std::to_string(score_ % 7), {{score_}});
        return engine_.commit(*ledger_);
    }
    void reopen() {
        ledger_.reset();
        ledger_ = open();
    }

    DataFolder folder_;
    FaultyVfs vfs_{"faulty"};
    std::unique_ptr<SqliteLedger> ledger_;
    TinyEngine engine_{1};
    base::BoardId board_;
    std::int64_t score_ = 0;
};

TEST_F(Faults, AnFsyncThatFailedLeavesTheOutcomeUnknownAndEndsAllWriting) {
    start();
    vfs_.fail(FileCall::kSync, 1, SQLITE_IOERR_FSYNC);
    EXPECT_EQ(submit(), CommitOutcome::kUnknown);
    vfs_.heal();
    const std::uint64_t syncs = vfs_.syncs();
    // The disk is well again, and still nothing is tried.
    EXPECT_EQ(ledger_->begin({}).error().code, base::ErrorCode::kReadOnly);
    EXPECT_EQ(ledger_->maintain({0}, kNoKeys).error().code, base::ErrorCode::kReadOnly);
    EXPECT_FALSE(ledger_->close());
    EXPECT_EQ(vfs_.syncs(), syncs);
    // Reading goes on.
    EXPECT_TRUE(ledger_->event({1}).value());
    reopen();
    // Here it is in the file after all, or it is not: both are right, halves are not.
    const std::uint64_t last = ledger_->state().last_seq.value;
    EXPECT_TRUE(last == 2 || last == 3) << last;
    EXPECT_EQ(all_of(ledger_->events({0})).size(), last);
    EXPECT_TRUE(ledger_->begin({}));
}

TEST_F(Faults, AWriteErrorInCommitLeavesTheOutcomeUnknown) {
    start();
    vfs_.fail(FileCall::kWrite, 2, SQLITE_IOERR_WRITE);
    EXPECT_EQ(submit(), CommitOutcome::kUnknown);
    EXPECT_EQ(ledger_->begin({}).error().code, base::ErrorCode::kReadOnly);
    vfs_.heal();
    reopen();
    engine_.restart(*ledger_);
    EXPECT_EQ(submit(), CommitOutcome::kCommitted);
}

// Every write of a commit in turn meets the full disk.
TEST_F(Faults, AFullDiskRollsBackCleanlyAndHealsByItself) {
    start();
    std::uint64_t nth = 1;
    for (;; ++nth) {
        const std::uint64_t before = vfs_.failures();
        vfs_.fail(FileCall::kWrite, nth, SQLITE_FULL);
        const CommitOutcome outcome = submit();
        vfs_.heal();
        if (vfs_.failures() == before) {
            EXPECT_EQ(outcome, CommitOutcome::kCommitted);
            break;
        }
        EXPECT_EQ(outcome, CommitOutcome::kRolledBack) << nth;
        // The reserve was given up for checkpoints and readers.
        EXPECT_FALSE(std::filesystem::exists(folder_.reserve()));
        engine_.check_against(*ledger_);
        EXPECT_EQ(submit(), CommitOutcome::kCommitted);
        EXPECT_TRUE(std::filesystem::exists(folder_.reserve()));
    }
    EXPECT_GT(nth, 2U);
    reopen();
    engine_.restart(*ledger_);
}

TEST_F(Faults, NothingIsWrittenWhileTheReserveCannotBeHeld) {
    start();
    vfs_.fail(FileCall::kWrite, 1, SQLITE_FULL);
    EXPECT_EQ(submit(), CommitOutcome::kRolledBack);
    vfs_.heal();
    // Something in its place: it cannot be made.
    std::filesystem::create_directory(folder_.reserve());
    EXPECT_EQ(ledger_->begin({}).error().code, base::ErrorCode::kNoSpace);
    EXPECT_TRUE(ledger_->maintain({0}, kNoKeys));
    EXPECT_TRUE(ledger_->event({1}).value());
    std::filesystem::remove(folder_.reserve());
    EXPECT_EQ(submit(), CommitOutcome::kCommitted);
}

TEST_F(Faults, ACheckpointThatFailedEndsAllWriting) {
    ledger_ =
        SqliteLedger::open({.folder = folder_.path(), .checkpoint_pages = 1, .vfs = vfs_.name()})
            .value();
    board_ = engine_.create_board("a", {});
    submit();
    vfs_.fail(FileCall::kSync, 1, SQLITE_IOERR_FSYNC);
    EXPECT_FALSE(ledger_->maintain({0}, kNoKeys));
    vfs_.heal();
    EXPECT_EQ(ledger_->begin({}).error().code, base::ErrorCode::kReadOnly);
    reopen();
    engine_.restart(*ledger_);
}

// Dies by SIGKILL somewhere in a loop of commits, each acknowledged through a pipe.
class Child {
  public:
    // `early`: acknowledges before the commit, as a wrong server would.
    Child(const std::filesystem::path& folder, std::uint64_t seed, bool early) {
        int ends[2];
        CHECK(::pipe(ends) == 0);
        process_ = ::fork();
        CHECK(process_ >= 0);
        if (process_ == 0) {
            ::close(ends[0]);
            write_until_killed(folder, seed, early, ends[1]);
            ::_exit(0);
        }
        ::close(ends[1]);
        pipe_ = ends[0];
    }
    // The newest seq that it has acknowledged when it dies after `batches` of them.
    std::uint64_t kill_after(std::uint64_t batches) {
        std::uint64_t acknowledged = 0;
        for (std::uint64_t i = 0; i < batches; ++i) CHECK(next(acknowledged));
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        // What it had still said before it died counts too.
        while (next(acknowledged)) {
        }
        ::close(pipe_);
        return acknowledged;
    }

  private:
    bool next(std::uint64_t& seq) const { return ::read(pipe_, &seq, sizeof seq) == sizeof seq; }

    static void write_until_killed(const std::filesystem::path& folder, std::uint64_t seed,
                                   bool early, int pipe) {
        auto ledger =
            SqliteLedger::open({.folder = folder, .reserve_bytes = 0, .checkpoint_pages = 30})
                .value();
        TinyEngine engine(seed);
        const auto acknowledge = [&](std::uint64_t seq) {
            CHECK(::write(pipe, &seq, sizeof seq) == sizeof seq);
        };
        const std::uint64_t first = ledger->state().last_seq.value;
        const base::BoardId board{ledger->state().next_board};
        BoardRecord record;
        record.id = board;
        record.ranking = ledger->state().next_ranking;
        record.slug = "board-" + std::to_string(board.value);
        std::vector<Event> events;
        for (std::uint64_t seq = first + 1;;) {
            events.clear();
            for (std::uint64_t n = 1 + engine.pick(40); n > 0; --n, ++seq) {
                Event& event = events.emplace_back();
                event.seq = {seq};
                event.board = board;
                event.ranking = record.ranking;
                event.slot = {static_cast<std::uint32_t>(seq % 100)};
                event.input.units[0] = event.result.units[0] = static_cast<std::int64_t>(seq);
                event.key = {seq, seed};
            }
            if (early) acknowledge(seq - 1);
            CHECK(ledger->begin({}));
            CHECK(ledger->append({.events = events, .boards = {&record, 1}}));
            // A wrong server may be killed here as well as anywhere.
            if (early) ::pause();
            CHECK(ledger->commit().outcome == CommitOutcome::kCommitted);
            if (!early) acknowledge(seq - 1);
            CHECK(ledger->maintain({0}, kNoKeys));
        }
    }

    pid_t process_ = 0;
    int pipe_ = -1;
};

std::uint64_t last_seq_in(const std::filesystem::path& folder) {
    auto ledger = SqliteLedger::open({.folder = folder, .reserve_bytes = 0}).value();
    std::uint64_t expected = 0;
    for (const Event& event : all_of(ledger->events({0}))) {
        CHECK(event.seq.value == ++expected);
        CHECK(event.result.units[0] == static_cast<std::int64_t>(expected));
    }
    return expected;
}

TEST(Kill, NothingAcknowledgedIsLost) {
    const std::uint64_t seed = test_seed();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    const DataFolder folder;
    const char* scale = std::getenv("STANDINGS_TEST_SCALE");
    const std::uint64_t kills = scale == nullptr ? 15 : 15 * std::strtoull(scale, nullptr, 10);
    for (std::uint64_t i = 0; i < kills; ++i) {
        const std::uint64_t acknowledged =
            Child(folder.path(), seed + i, false).kill_after(1 + (seed + i * 7) % 40);
        ASSERT_GE(last_seq_in(folder.path()), acknowledged) << "kill " << i;
    }
}

// The control: the same check finds the loss when the answer comes before the commit.
TEST(Kill, AnAnswerBeforeTheCommitIsSeenToBeLost) {
    const DataFolder folder;
    const std::uint64_t acknowledged = Child(folder.path(), 1, true).kill_after(1);
    EXPECT_LT(last_seq_in(folder.path()), acknowledged);
}

}  // namespace
}  // namespace standings::ledger
