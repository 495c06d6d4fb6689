#include "engine/engine.h"

#include "engine/engine_harness.h"

namespace standings::engine {
namespace {

using base::ErrorCode;
using ledger::CommitOutcome;
using ledger::EventKind;
using Lane = EntryOperation::Lane;
using ranking::Outcome;

template <class Subject>
class EngineTest : public ::testing::Test {};
TYPED_TEST_SUITE(EngineTest, Subjects);

TYPED_TEST(EngineTest, AcknowledgesWhatIsAppliedAndSurvivesACrash) {
    Rig<TypeParam> rig;
    rig.create();
    const auto ann = rig.submit("ann", 10);
    ASSERT_FALSE(ann->error);
    EXPECT_EQ(ann->outcomes[0].outcome, Outcome::kCreated);
    EXPECT_EQ(ann->outcomes[0].seq.value, 2U);
    EXPECT_FALSE(ann->outcomes[0].had_entry);
    EXPECT_EQ(rig.engine().applied_seq().value, 2U);
    rig.submit("bob", 20);
    const auto better = rig.submit("ann", 30);
    EXPECT_EQ(better->outcomes[0].outcome, Outcome::kImproved);
    EXPECT_EQ(better->outcomes[0].previous.units[0], 10);
    EXPECT_EQ(rig.submit("ann", 5)->outcomes[0].outcome, Outcome::kUnchanged);

    EXPECT_EQ(rig.table(), "ann 1 30, bob 2 20");
    rig.crash_and_start();
    EXPECT_EQ(rig.table(), "ann 1 30, bob 2 20");
    EXPECT_EQ(rig.engine().applied_seq().value, 5U);
    EXPECT_EQ(rig.board()->seq().value, 5U);
    rig.stop_and_start();
    EXPECT_EQ(rig.table(), "ann 1 30, bob 2 20");
    EXPECT_EQ(rig.engine().statistics().fold_mark, 5U) << "a clean end leaves nothing to replay";
}

TYPED_TEST(EngineTest, SeesEarlierChangesOfTheSameBatch) {
    Rig<TypeParam> rig;
    ranking::Rules rules;
    rules.rule = ranking::Rule::kSum;
    rig.create("a", rules);
    std::vector<Desk::Group> groups;
    {
        const Plug plug(rig.engine());
        for (const int score : {1, 2, 4}) {
            auto operation = rig.entries();
            operation->submit("ann", score);
            rig.push(std::move(operation));
        }
        auto removal = rig.entries();
        removal->remove("ann");
        rig.push(std::move(removal));
        auto again = rig.entries();
        again->submit("ann", 8).name("Ann");
        rig.push(std::move(again));
    }
    groups = rig.desk().take(5);
    ASSERT_EQ(groups.size(), 1U) << "one transaction, one delivery";
    const auto outcome = [&](std::size_t i) {
        return static_cast<Entries&>(*groups[0][i]).outcomes[0];
    };
    EXPECT_EQ(outcome(0).outcome, Outcome::kCreated);
    EXPECT_EQ(outcome(1).outcome, Outcome::kAdded);
    EXPECT_EQ(outcome(2).previous.units[0], 3);
    EXPECT_EQ(outcome(3).outcome, Outcome::kRemoved);
    EXPECT_EQ(outcome(3).previous.units[0], 7);
    EXPECT_EQ(outcome(4).outcome, Outcome::kCreated);
    EXPECT_EQ(outcome(4).slot, outcome(0).slot);
    EXPECT_EQ(outcome(4).seq.value, outcome(0).seq.value + 4);
    EXPECT_EQ(rig.table(), "ann 1 8");
    EXPECT_EQ(rig.name_of("ann"), "Ann");
    rig.crash_and_start();
    EXPECT_EQ(rig.table(), "ann 1 8");
    EXPECT_EQ(rig.name_of("ann"), "Ann");
}

TYPED_TEST(EngineTest, UndoesAnArrayAsAWhole) {
    Rig<TypeParam> rig;
    ranking::Rules rules;
    rules.rule = ranking::Rule::kSum;
    rig.create("a", rules);
    rig.submit("ann", 1);
    std::vector<Desk::Group> groups;
    {
        const Plug plug(rig.engine());
        auto before = rig.entries();
        before->submit("bob", 5);
        rig.push(std::move(before));
        auto array = rig.entries();
        array->submit("ann", 10).name("Ann").submit("cat", 2).name("Cat").submit("bob", 7);
        array->remove("bob").submit("ann", ranking::kMaxUnits).submit("dan", 1);
        array->with_key(1, 1);
        rig.push(std::move(array));
        auto after = rig.entries();
        after->submit("eve", 3).submit("ann", 20).submit("cat", 4);
        rig.push(std::move(after));
    }
    groups = rig.desk().take(3);
    const auto& array = static_cast<Entries&>(*groups[0][1]);
    ASSERT_TRUE(array.error);
    EXPECT_EQ(array.error->code, ErrorCode::kScoreOverflow);
    EXPECT_EQ(array.failed_change, 4U);
    EXPECT_TRUE(array.outcomes.empty());
    // What came after it sees neither its players nor its seqs.
    const auto& after = static_cast<Entries&>(*groups[0][2]);
    ASSERT_FALSE(after.error);
    EXPECT_EQ(after.outcomes[0].seq.value, 4U);
    EXPECT_EQ(after.outcomes[1].previous.units[0], 1);
    EXPECT_EQ(after.outcomes[2].outcome, Outcome::kCreated);
    const std::string table = "ann 1 21, bob 2 5, cat 3 4, eve 4 3";
    EXPECT_EQ(rig.table(), table);
    EXPECT_FALSE(rig.name_of("ann"));
    EXPECT_FALSE(rig.name_of("cat"));
    rig.crash_and_start();
    EXPECT_EQ(rig.table(), table);
    EXPECT_FALSE(rig.name_of("ann"));

    // A refused request leaves its key free.
    auto retry = rig.entries();
    retry->submit("ann", 1).with_key(1, 1);
    const auto done = rig.run(std::move(retry));
    EXPECT_FALSE(done->error);
    EXPECT_FALSE(done->replayed);
}

TYPED_TEST(EngineTest, KeepsWhatWentWellOfAPieceOfAStream) {
    Rig<TypeParam> rig;
    ledger::BoardConfig config;
    config.limits[0].max = 100;
    rig.step_board(EventKind::kBoardCreated, "a", config);
    auto piece = rig.entries();
    piece->atomic = false;
    piece->submit("ann", 1).submit("bob", 101).submit("cat", 3);
    const auto done = rig.run(std::move(piece));
    ASSERT_FALSE(done->error);
    ASSERT_EQ(done->outcomes.size(), 3U);
    EXPECT_FALSE(done->outcomes[0].error);
    ASSERT_TRUE(done->outcomes[1].error);
    EXPECT_EQ(done->outcomes[1].error->code, ErrorCode::kInvalid);
    EXPECT_EQ(done->outcomes[1].error->pointer, "/score");
    EXPECT_EQ(rig.table(), "cat 1 3, ann 2 1");
}

// Else whoever sends the same lines once the board is open would be told that they were refused.
TYPED_TEST(EngineTest, CountsNoLineOfAStreamThatTheBoardRefuses) {
    Rig<TypeParam> rig;
    rig.create();
    const base::Hash128 key{3, 4};
    rig.step_stream(StreamOperation::Step::kOpen, key);
    const auto piece = [&] {
        auto operation = rig.entries();
        operation->atomic = false;
        operation->stops_with_board = true;
        operation->submit("ann", 1).submit("bob", 2);
        operation->stream = StreamProgress{.key = key, .lines = 2};
        return rig.run(std::move(operation));
    };
    rig.step_board(EventKind::kBoardClosed);
    const auto refused = piece();
    ASSERT_TRUE(refused->error);
    EXPECT_EQ(refused->error->code, ErrorCode::kBoardClosed);
    EXPECT_FALSE(refused->stream_after);
    rig.step_board(EventKind::kBoardReopened);
    const auto taken = piece();
    ASSERT_FALSE(taken->error);
    EXPECT_EQ(taken->stream_after->accepted, 2U);
    EXPECT_EQ(rig.table(), "bob 1 2, ann 2 1");
}

TYPED_TEST(EngineTest, SaysTheBoardsSeqWhereNothingHadToChange) {
    Rig<TypeParam> rig;
    rig.create();
    rig.submit("ann", 1);
    auto nothing = rig.entries();
    nothing->remove("bob");
    const auto done = rig.run(std::move(nothing));
    EXPECT_FALSE(done->outcomes[0].had_entry);
    EXPECT_EQ(done->outcomes[0].seq.value, 2U);
    EXPECT_EQ(rig.engine().applied_seq().value, 2U);

    {
        const Plug plug(rig.engine());
        for (int i = 0; i < 2; ++i) {
            auto removal = rig.entries();
            removal->remove("ann");
            rig.push(std::move(removal));
        }
    }
    const auto groups = rig.desk().take(2);
    const auto& first = static_cast<Entries&>(*groups[0][0]);
    const auto& second = static_cast<Entries&>(*groups[0][1]);
    EXPECT_TRUE(first.outcomes[0].had_entry);
    EXPECT_FALSE(second.outcomes[0].had_entry);
    EXPECT_EQ(second.outcomes[0].seq, first.outcomes[0].seq) << "whoever reads at it sees no entry";
}

// --- failures --------------------------------------------------------------------------------

TYPED_TEST(EngineTest, TriesAgainASecondAfterACleanFailure) {
    Rig<TypeParam> rig;
    rig.create();
    rig.submit("ann", 1);
    {
        const Plug plug(rig.engine());
        rig.ledger().fail_commit(1, CommitOutcome::kRolledBack);
        auto operation = rig.entries();
        operation->submit("ann", 5).submit("bob", 2).with_key(1, 1);
        rig.push(std::move(operation));
    }
    auto groups = rig.desk().take(1);
    EXPECT_EQ(static_cast<Entries&>(*groups[0][0]).error->code, ErrorCode::kReadOnly);
    EXPECT_EQ(rig.engine().statistics().health, WriteHealth::kNoSpace);
    EXPECT_EQ(rig.table(), "ann 1 1") << "reads go on";

    EXPECT_EQ(rig.submit("ann", 6)->error->code, ErrorCode::kReadOnly) << "not tried again yet";
    EXPECT_EQ(rig.step_board(EventKind::kBoardReset)->error->code, ErrorCode::kReadOnly);
    rig.clock().move(std::chrono::seconds(1));
    auto retry = rig.entries();
    retry->submit("ann", 5).submit("bob", 2).with_key(1, 1);
    const auto done = rig.run(std::move(retry));
    ASSERT_FALSE(done->error);
    EXPECT_FALSE(done->replayed);
    EXPECT_EQ(done->outcomes[0].seq.value, 3U) << "no seq was lost";
    EXPECT_EQ(rig.engine().statistics().health, WriteHealth::kOk);
    rig.crash_and_start();
    EXPECT_EQ(rig.table(), "ann 1 5, bob 2 2");
}

TYPED_TEST(EngineTest, RefusesWhileTheLedgerCannotBegin) {
    Rig<TypeParam> rig;
    rig.create();
    {
        const Plug plug(rig.engine());
        rig.ledger().fail_begin(base::Error{ErrorCode::kNoSpace, "the disk is full"});
    }
    const auto refused = rig.submit("ann", 1);
    ASSERT_TRUE(refused->error);
    EXPECT_EQ(refused->error->code, ErrorCode::kReadOnly);
    EXPECT_NE(refused->error->detail.find("the disk is full"), std::string::npos);
    {
        const Plug plug(rig.engine());
        rig.ledger().fail_begin({});
    }
    rig.clock().move(std::chrono::seconds(1));
    EXPECT_FALSE(rig.submit("ann", 1)->error);
}

TYPED_TEST(EngineTest, WritesNothingMoreAfterAnUnknownOutcome) {
    for (const bool kept : {false, true}) {
        Rig<TypeParam> rig;
        rig.create();
        rig.submit("ann", 1);
        const auto request = [&] {
            auto operation = rig.entries();
            operation->submit("ann", 5).with_key(1, 1);
            return operation;
        };
        {
            const Plug plug(rig.engine());
            rig.ledger().fail_commit(1, CommitOutcome::kUnknown, kept);
            rig.push(request());
        }
        auto groups = rig.desk().take(1);
        EXPECT_EQ(static_cast<Entries&>(*groups[0][0]).error->code, ErrorCode::kOutcomeUnknown);
        EXPECT_EQ(rig.engine().statistics().health, WriteHealth::kUnknown);
        rig.clock().move(std::chrono::hours(1));
        EXPECT_EQ(rig.submit("ann", 6)->error->code, ErrorCode::kReadOnly);
        EXPECT_EQ(rig.run(request())->error->code, ErrorCode::kReadOnly);
        EXPECT_EQ(rig.step_board(EventKind::kBoardReset)->error->code, ErrorCode::kReadOnly);
        EXPECT_EQ(rig.table(), "ann 1 1") << "reads go on";

        rig.stop_and_start();
        EXPECT_EQ(rig.table(), kept ? "ann 1 5" : "ann 1 1");
        const auto again = rig.run(request());
        ASSERT_FALSE(again->error);
        EXPECT_EQ(again->replayed, kept) << "it never counts twice";
        EXPECT_EQ(rig.table(), "ann 1 5");
    }
}

TYPED_TEST(EngineTest, AnswersWhatWaitsWhenItStops) {
    Rig<TypeParam> rig;
    rig.create();
    std::thread stopping;
    {
        const Plug plug(rig.engine());
        auto operation = rig.entries();
        operation->submit("ann", 1);
        rig.push(std::move(operation));
        stopping = std::thread([&] { rig.engine().stop(); });
        wait_until([&] {
            std::unique_ptr<Operation> late = rig.entries();
            const auto refused = rig.engine().submit(late);
            if (refused) return false;
            EXPECT_EQ(refused.error().code, ErrorCode::kDraining);
            return true;
        });
    }
    stopping.join();
    EXPECT_GE(rig.desk().count(), 1U);
    EXPECT_EQ(rig.table(), "ann 1 1");
    rig.desk().take(rig.desk().count());
    rig.stop_and_start();
    EXPECT_EQ(rig.table(), "ann 1 1");
}

TYPED_TEST(EngineTest, RefusesWhenTheQueueIsFull) {
    Engine::Options options;
    options.queue.singles = 2;
    Rig<TypeParam> rig(options);
    rig.create();
    const Plug plug(rig.engine());
    for (int i = 0; i < 2; ++i) rig.push(rig.entries());
    std::unique_ptr<Operation> third = rig.entries();
    const auto refused = rig.engine().submit(third);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
    EXPECT_NE(third, nullptr);
}

// --- names, tombstones, slots -----------------------------------------------------------------

TYPED_TEST(EngineTest, KeepsNamesOverRestarts) {
    Engine::Options options = eager();
    options.details_cache_bytes = 0;  // every name is read from the disk
    Rig<TypeParam> rig(options);
    rig.create();
    auto first = rig.entries();
    first->submit("ann", 1).name("Ann").meta("{\"x\":1}").submit("bob", 2).submit("cat", 3);
    rig.run(std::move(first));
    auto second = rig.entries();
    second->submit("bob", 1).name("Bob");  // a name without a better score
    second->submit("ann", 1).name("Anna");
    second->submit("cat", 9).meta("{}");
    rig.run(std::move(second));
    const auto check = [&](const char* when) {
        EXPECT_EQ(rig.name_of("ann"), "Anna") << when;
        EXPECT_EQ(rig.name_of("bob"), "Bob") << when;
        EXPECT_FALSE(rig.name_of("cat")) << when;
    };
    check("running");
    rig.crash_and_start();
    check("crashed");
    rig.rest();
    rig.stop_and_start();
    check("stopped");

    auto third = rig.entries();
    third->submit("ann", 1).name("").meta("");
    third->remove("bob");
    rig.run(std::move(third));
    EXPECT_FALSE(rig.name_of("ann"));
    rig.crash_and_start();
    EXPECT_FALSE(rig.name_of("ann"));
    Page page;
    ASSERT_TRUE(read_standing(*rig.board(), "ann", 0, page));
    EXPECT_FALSE(page.rows[0].has_details);
    rig.submit("bob", 4);
    EXPECT_FALSE(rig.name_of("bob")) << "a removed entry takes its name along";
}

TYPED_TEST(EngineTest, DropsTombstonesAndUsesTheirSlotsAgain) {
    Rig<TypeParam> rig(eager());
    rig.create();
    auto all = rig.entries();
    all->submit("ann", 1).name("Ann").submit("bob", 2).submit("cat", 3);
    rig.run(std::move(all));
    auto removal = rig.entries();
    removal->remove("ann").remove("cat");
    rig.run(std::move(removal));
    const base::Sequence seq = rig.board()->seq();
    rig.rest();
    rig.board()->read(
        [](const HostedBoard::View& view) { EXPECT_EQ(view.board.player_count(), 1U); });
    rig.crash_and_start();
    EXPECT_EQ(rig.board()->seq(), seq) << "although the newest row is gone";
    const auto dan = rig.submit("dan", 7);
    EXPECT_NE(dan->outcomes[0].slot.value, 3U) << "a slot is used again";
    const auto eve = rig.submit("eve", 8);
    EXPECT_NE(eve->outcomes[0].slot.value, 3U);
    EXPECT_FALSE(rig.name_of("dan"));
    EXPECT_FALSE(rig.name_of("eve"));
    for (int i = 0; i < 2; ++i) {
        rig.crash_and_start();
        EXPECT_EQ(rig.table(), "eve 1 8, dan 2 7, bob 3 2");
        rig.rest();
    }
}

TYPED_TEST(EngineTest, BringsARemovedPlayerBackBeforeTheTombstoneGoes) {
    Rig<TypeParam> rig;
    rig.create();
    rig.submit("ann", 9);
    auto removal = rig.entries();
    removal->remove("ann");
    rig.run(std::move(removal));
    EXPECT_EQ(rig.submit("ann", 1)->outcomes[0].outcome, Outcome::kCreated);
    rig.rest();
    EXPECT_EQ(rig.table(), "ann 1 1");
    rig.crash_and_start();
    EXPECT_EQ(rig.table(), "ann 1 1");
}

TYPED_TEST(EngineTest, WakesReadsThatWaitForAPosition) {
    Rig<TypeParam> rig;
    rig.create();
    std::unique_ptr<Operation> read = std::make_unique<StreamStep>(rig.desk());
    rig.engine().waits().add({2}, read);
    EXPECT_EQ(rig.desk().count(), 0U);
    auto operation = rig.entries();
    operation->submit("ann", 1);
    rig.push(std::move(operation));
    rig.desk().take(2);
}

}  // namespace
}  // namespace standings::engine
