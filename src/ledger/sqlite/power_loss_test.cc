// The power fails at every single file operation of a recorded run: what the disk may hold then is
// opened, and must be a state that the ledger had, no older than the last acknowledged one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/sqlite/data_folder.h"
#include "ledger/sqlite/faulty_vfs.h"
#include "ledger/sqlite/simulated_disk.h"
#include "ledger/sqlite/sqlite_ledger.h"
#include "ledger/tiny_engine.h"

namespace standings::ledger {
namespace {

using sqlite::DiskLog;
using sqlite::DiskOperation;
using sqlite::SimulatedDisk;
using sqlite::Survival;

constexpr std::int64_t kNow = 1'700'000'000'000;

// Memory where there is such a folder: what is simulated needs no disk that syncs.
std::filesystem::path quick_folder() {
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

// A seeded run of batches, write-back, checkpoints, a clean end and a second start.
class RecordedRun {
  public:
    RecordedRun(std::uint64_t seed, int batches) : engine_(seed) {
        acknowledged_.push_back({0, 0});
        states_.push_back(engine_.state());
        vfs_.watch(&log_);
        session(batches);
        session(batches / 2);
        vfs_.watch(nullptr);
    }

    const std::vector<DiskOperation>& operations() const { return log_.operations(); }
    // What was true after each commit, the empty ledger first.
    const std::vector<TinyState>& states() const { return states_; }
    // The index of the newest state that was acknowledged before operation number `done` ended.
    std::size_t acknowledged(std::size_t done) const {
        std::size_t newest = 0;
        for (const auto& [operations, state] : acknowledged_) {
            if (operations <= done) newest = state;
        }
        return newest;
    }

  private:
    void session(int batches) {
        auto ledger = SqliteLedger::open({.folder = folder_.path(),
                                          .reserve_bytes = 0,
                                          .checkpoint_pages = 12,
                                          .vfs = vfs_.name(),
                                          .watcher = &log_})
                          .value();
        engine_.restart(*ledger);
        for (int i = 0; i < batches; ++i) {
            engine_.random_batch(1 + engine_.pick(12));
            ASSERT_EQ(engine_.commit(*ledger), CommitOutcome::kCommitted);
            states_.push_back(engine_.state());
            acknowledged_.push_back({log_.operations().size(), states_.size() - 1});
            ASSERT_TRUE(ledger->maintain({kNow}, kNoKeys));
        }
        ASSERT_TRUE(ledger->close());
    }

    DataFolder folder_{quick_folder()};
    sqlite::FaultyVfs vfs_{"recorded"};
    DiskLog log_;
    TinyEngine engine_;
    std::vector<TinyState> states_;
    std::vector<std::pair<std::size_t, std::size_t>> acknowledged_;  // operations, state
};

constexpr std::string_view kDoesNotOpen = "it does not open: ";

// Why a start refuses the rows; empty where it takes them.
template <class Row>
std::string refusal(base::Result<std::unique_ptr<Cursor<Row>>> cursor) {
    if (!cursor) return cursor.error().detail;
    for (Row row;;) {
        const auto found = (*cursor)->next(row);
        if (!found) return found.error().detail;
        if (!*found) return {};
    }
}

// Opens what survived in the folder, and compares it with the states from `least` on, the one that
// may have been under way included. Empty when all is well.
std::string complaint(const DataFolder& folder, const RecordedRun& run, std::size_t least) {
    auto ledger = SqliteLedger::open({.folder = folder.path(), .reserve_bytes = 0});
    if (!ledger) return std::string(kDoesNotOpen) + ledger.error().detail;
    for (const std::string& why : {refusal((*ledger)->players()), refusal((*ledger)->entries())}) {
        if (!why.empty()) return std::string(kDoesNotOpen) + why;
    }
    TinyState found = TinyEngine::rebuild(**ledger);
    const std::size_t most = std::min(least + 1, run.states().size() - 1);
    for (std::size_t i = least; i <= most; ++i) {
        TinyState expected = run.states()[i];
        found.streams.clear();
        for (const auto& [key, stream] : expected.streams) {
            const auto stored = (*ledger)->stream(key).value();
            if (stored) found.streams[key] = *stored;
        }
        if (found == expected) return {};
    }
    return "it holds " + std::to_string(found.last_seq.value) + " events, which is neither state " +
           std::to_string(least) + " (" + std::to_string(run.states()[least].last_seq.value) +
           " events, acknowledged) nor the next";
}

// One more commit on top of what survived: it is there after the next start, and nothing else
// moved. `meanwhile` is what a control does between the two.
std::string complaint_of_going_on(
    const DataFolder& folder, const std::function<void()>& meanwhile = [] {}) {
    auto ledger = SqliteLedger::open({.folder = folder.path(), .reserve_bytes = 0}).value();
    TinyState expected = TinyEngine::rebuild(*ledger);
    BoardRecord board;
    board.id = expected.next_board;
    board.ranking = expected.next_ranking;
    board.slug = "after";
    board.created_at = board.updated_at = {kNow};
    board.seq = {expected.last_seq.value + 1};
    Event event;
    event.seq = board.seq;
    event.board = board.id;
    event.ranking = board.ranking;
    event.kind = EventKind::kBoardCreated;
    event.at = {kNow};
    CHECK(ledger->begin({}));
    CHECK(ledger->append({.events = {&event, 1}, .boards = {&board, 1}}));
    if (ledger->commit().outcome != CommitOutcome::kCommitted) return "it does not commit";
    expected.last_seq = event.seq;
    expected.boards[board.id] = board;
    expected.next_board.value += 1;
    expected.next_ranking.value += 1;
    ledger.reset();
    meanwhile();

    auto again = SqliteLedger::open({.folder = folder.path(), .reserve_bytes = 0});
    if (!again) return "it does not open after one more commit: " + again.error().detail;
    return TinyEngine::rebuild(**again) == expected ? ""
                                                    : "one more commit changed more than itself";
}

// The write-ahead log is synced at the end of a commit.
bool is_commit(const DiskOperation& operation) {
    return operation.kind == DiskOperation::Kind::kSync && operation.name.ends_with("-wal");
}

bool is_mark(const DiskOperation& operation) {
    return operation.kind == DiskOperation::Kind::kWrite && operation.name == "standings.mark";
}

void empty(const std::filesystem::path& folder) {
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        std::filesystem::remove_all(file);
    }
}

std::uint64_t scale() {
    const char* given = std::getenv("STANDINGS_TEST_SCALE");
    return given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
}

TEST(PowerLoss, KeepsAllThatWasAcknowledgedWhateverElseTheDiskKept) {
    const std::uint64_t seed = test_seed();
    std::uint64_t crashes = 0;
    std::uint64_t acknowledged = 0;
    for (std::uint64_t turn = 0; turn < scale(); ++turn) {
        SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed + turn));
        const RecordedRun run(seed + turn, scale() == 1 ? 12 : 40);
        if (HasFatalFailure()) return;
        acknowledged += run.states().back().last_seq.value;
        std::mt19937_64 chance(seed + turn);
        SimulatedDisk disk(true);
        for (std::size_t done = 0; done < run.operations().size(); ++done) {
            disk.apply(run.operations()[done]);
            // Every operation; of the ways to survive one by turns, or in larger runs all.
            for (int way = 0; way < sqlite::kSurvivals; ++way) {
                if (scale() == 1 && way != static_cast<int>(done) % sqlite::kSurvivals) continue;
                const DataFolder folder(quick_folder());
                disk.write_survivors(folder.path(), static_cast<Survival>(way), chance);
                const std::string wrong = complaint(folder, run, run.acknowledged(done + 1));
                ASSERT_EQ(wrong, "") << "power lost after operation " << done << ", way " << way;
                if (crashes % 4 == 0) {
                    ASSERT_EQ(complaint_of_going_on(folder), "")
                        << "power lost after operation " << done << ", way " << way;
                }
                ++crashes;
            }
        }
    }
    std::cout << "power loss: " << crashes << " crashes, " << acknowledged
              << " acknowledged, 0 lost, 0 twice\n";
}

// The control: on a disk that lies about its syncs (or with synchronous=OFF) events are lost, and
// the same judge sees it.
TEST(PowerLoss, ADiskThatDoesNotSyncIsSeenToLose) {
    const RecordedRun run(7, 12);
    std::mt19937_64 chance(7);
    SimulatedDisk disk(false);
    const DataFolder folder(quick_folder());
    std::uint64_t wrong = 0;
    std::uint64_t refused = 0;
    for (std::size_t done = 0; done < run.operations().size(); ++done) {
        disk.apply(run.operations()[done]);
        if (done % 7 != 0) continue;
        empty(folder.path());
        disk.write_survivors(folder.path(), Survival::kWholeWrites, chance);
        const std::string found = complaint(folder, run, run.acknowledged(done + 1));
        if (found.starts_with(kDoesNotOpen)) {
            ++refused;
        } else if (!found.empty()) {
            ++wrong;
        }
    }
    std::cout << "power loss control: " << wrong << " starts without what was acknowledged, "
              << refused << " refused\n";
    EXPECT_GT(wrong, 0U);
}

// The control of the mark: were it written before the sync of its commit, it would tell of events
// that are not there.
TEST(PowerLoss, AMarkThatComesBeforeItsCommitIsSeen) {
    const RecordedRun run(7, 12);
    std::vector<DiskOperation> operations = run.operations();
    std::mt19937_64 chance(7);
    SimulatedDisk disk(true);
    const DataFolder folder(quick_folder());
    std::uint64_t moved = 0;
    std::uint64_t wrong = 0;
    for (std::size_t done = 0; done < operations.size(); ++done) {
        const bool is_early = done + 1 < operations.size() && is_commit(operations[done]) &&
                              is_mark(operations[done + 1]);
        if (is_early) std::swap(operations[done], operations[done + 1]);
        disk.apply(operations[done]);
        if (!is_early) continue;
        ++moved;
        empty(folder.path());
        disk.write_survivors(folder.path(), Survival::kWholeWrites, chance);
        if (!complaint(folder, run, run.acknowledged(done + 1)).empty()) ++wrong;
    }
    std::cout << "power loss control: of " << moved << " marks before their commit " << wrong
              << " seen\n";
    EXPECT_GT(wrong, 0U);
}

// The control of going on: the commit is lost again, with the mark that tells of it and without.
TEST(PowerLoss, ACommitThatIsLostAfterwardsIsSeen) {
    const auto complaint_without = [](std::initializer_list<const char*> files) {
        const DataFolder folder(quick_folder());
        CHECK(SqliteLedger::open({.folder = folder.path(), .reserve_bytes = 0}).value()->close());
        return complaint_of_going_on(folder, [&] {
            for (const char* file : files) CHECK(std::filesystem::remove(folder.path() / file));
        });
    };
    EXPECT_EQ(complaint_without({}), "");
    EXPECT_NE(complaint_without({"standings.db-wal"}), "");
    EXPECT_NE(complaint_without({"standings.db-wal", "standings.mark"}), "");
}

}  // namespace
}  // namespace standings::ledger
