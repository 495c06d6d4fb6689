#include "ledger/memory/memory_ledger.h"

#include "ledger/faulty_ledger.h"
#include "ledger/ledger_contract.h"

namespace standings::ledger {
namespace {

struct MemorySubject {
    std::shared_ptr<MemoryStore> store = MemoryLedger::open()->store();
    std::unique_ptr<Ledger> open() { return MemoryLedger::open(store); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, LedgerContract, MemorySubject);

TEST(MemoryLedger, KeepsABoundedNumberOfFoldedEvents) {
    auto ledger = MemoryLedger::open({.events = 10});
    TinyEngine engine(1);
    const base::BoardId board = engine.create_board("a", {});
    for (int i = 0; i < 100; ++i) {
        engine.submit(board, "p", {{i}});
        ASSERT_EQ(engine.commit(*ledger), CommitOutcome::kCommitted);
    }
    // Without a fold mark all are needed for a start.
    EXPECT_EQ(all_of(ledger->events({0})).size(), 101U);
    engine.plan_write_back(10);
    ASSERT_EQ(engine.commit(*ledger), CommitOutcome::kCommitted);
    EXPECT_EQ(all_of(ledger->events({0})).size(), 10U);
    engine.check_against(*ledger);
}

TEST(FaultyLedger, FailsTheCommitThatItWasToldTo) {
    FaultyLedger ledger(MemoryLedger::open());
    TinyEngine engine(1);
    const base::BoardId board = engine.create_board("a", {});
    ASSERT_EQ(engine.commit(ledger), CommitOutcome::kCommitted);

    ledger.fail_commit(2, CommitOutcome::kRolledBack);
    engine.submit(board, "p", {{1}});
    EXPECT_EQ(engine.commit(ledger), CommitOutcome::kCommitted);
    engine.submit(board, "p", {{2}});
    EXPECT_EQ(engine.commit(ledger), CommitOutcome::kRolledBack);
    engine.submit(board, "p", {{3}});
    EXPECT_EQ(engine.commit(ledger), CommitOutcome::kCommitted);
    engine.check_against(ledger);

    for (const bool kept : {false, true}) {
        FaultyLedger doubtful(MemoryLedger::open());
        doubtful.fail_commit(1, CommitOutcome::kUnknown, kept);
        TinyEngine other(1);
        other.create_board("a", {});
        EXPECT_EQ(other.commit(doubtful), CommitOutcome::kUnknown);
        EXPECT_EQ(doubtful.begin({}).error().code, base::ErrorCode::kReadOnly);
        EXPECT_EQ(doubtful.inside().boards().value().size(), kept ? 1U : 0U);
    }
}

}  // namespace
}  // namespace standings::ledger
