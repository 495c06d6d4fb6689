#include "engine/engine.h"

#include "engine/engine_harness.h"

namespace standings::engine {
namespace {

using base::ErrorCode;
using ledger::CommitOutcome;
using ledger::EventKind;
using Lane = EntryOperation::Lane;
using ranking::Outcome;

// Everything is written back at the first chance.
Engine::Options eager() {
    Engine::Options options;
    options.load.write_back = {.dirty = 0, .unfolded = 0};
    return options;
}

template <class Subject>
class EngineTest : public ::testing::Test {};
using Subjects = ::testing::Types<MemorySubject, SqliteSubject>;
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

// --- idempotency -----------------------------------------------------------------------------

TYPED_TEST(EngineTest, ReplaysARequestWithItsKey) {
    Rig<TypeParam> rig;
    ranking::Rules rules;
    rules.rule = ranking::Rule::kSum;
    rig.create("a", rules);
    rig.submit("ann", 1);
    const auto request = [&](std::uint64_t fingerprint) {
        auto operation = rig.entries();
        operation->submit("ann", 2).submit("bob", 3).with_key(9, fingerprint);
        return rig.run(std::move(operation));
    };
    const auto first = request(5);
    ASSERT_FALSE(first->error);
    EXPECT_FALSE(first->replayed);
    for (const bool crash : {false, true}) {
        if (crash) rig.crash_and_start();
        const auto again = request(5);
        ASSERT_FALSE(again->error);
        EXPECT_TRUE(again->replayed);
        ASSERT_EQ(again->outcomes.size(), 2U);
        for (std::size_t i = 0; i < 2; ++i) {
            EXPECT_EQ(again->outcomes[i].seq, first->outcomes[i].seq);
            EXPECT_EQ(again->outcomes[i].outcome, first->outcomes[i].outcome);
            EXPECT_EQ(again->outcomes[i].previous, first->outcomes[i].previous);
            EXPECT_EQ(again->outcomes[i].had_entry, first->outcomes[i].had_entry);
        }
        const auto other = request(6);
        ASSERT_TRUE(other->error);
        EXPECT_EQ(other->error->code, ErrorCode::kIdempotencyMismatch);
        EXPECT_EQ(rig.table(), "ann 1 3, bob 1 3");
    }
}

TYPED_TEST(EngineTest, RemembersSoManyKeysThroughARestartHoweverLargeTheirArraysWere) {
    Engine::Options options;
    options.load.idempotency_keys = 3;
    Rig<TypeParam> rig(options);
    ranking::Rules rules;
    rules.rule = ranking::Rule::kSum;
    rig.create("a", rules);
    const auto request = [&](std::uint64_t key) {
        auto operation = rig.entries();
        for (int i = 0; i < 10; ++i) operation->submit("ann", 1);
        operation->with_key(key, 5);
        return rig.run(std::move(operation));
    };
    for (const std::uint64_t key : {1U, 2U, 3U}) EXPECT_FALSE(request(key)->replayed);
    rig.crash_and_start();
    for (const std::uint64_t key : {1U, 2U, 3U}) {
        const auto again = request(key);
        EXPECT_TRUE(again->replayed) << key;
        EXPECT_EQ(again->outcomes.size(), 10U);
    }
}

TYPED_TEST(EngineTest, ForgetsAKeyWhenItsWindowIsOver) {
    Rig<TypeParam> rig;
    rig.create();
    const auto request = [&] {
        auto operation = rig.entries();
        operation->submit("ann", 2).with_key(9, 5);
        return rig.run(std::move(operation));
    };
    request();
    rig.clock().move(std::chrono::hours(24));
    EXPECT_TRUE(request()->replayed);
    rig.clock().move(std::chrono::milliseconds(1));
    EXPECT_FALSE(request()->replayed);
}

// The oldest keys of a clock that was set are as new as they are: a retry must not count again.
TYPED_TEST(EngineTest, RemembersKeysWhenTheClockIsSet) {
    Rig<TypeParam> rig;
    ranking::Rules rules;
    rules.rule = ranking::Rule::kSum;
    rig.create("a", rules);
    const auto request = [&](std::uint64_t key) {
        auto operation = rig.entries();
        operation->submit("ann", 1).with_key(key, 5);
        return rig.run(std::move(operation));
    };
    constexpr auto kYears = std::chrono::hours(24 * 365 * 10);
    std::uint64_t keys = 0;
    for (const auto jump : {std::chrono::hours(0), kYears, -kYears, -kYears, 2 * kYears}) {
        rig.clock().set_ahead(jump);
        for (std::uint64_t key = 1; key <= keys; ++key) EXPECT_TRUE(request(key)->replayed) << key;
        EXPECT_FALSE(request(++keys)->replayed);
        rig.clock().move(std::chrono::minutes(1));
        rig.crash_and_start();
        for (std::uint64_t key = 1; key <= keys; ++key) EXPECT_TRUE(request(key)->replayed) << key;
    }
    EXPECT_EQ(rig.table(), "ann 1 5");
    // Their time passes all the same.
    rig.clock().move(std::chrono::hours(24));
    EXPECT_FALSE(request(1)->replayed);
}

TYPED_TEST(EngineTest, TheNewerUseOfAKeyCountsAfterAStart) {
    Rig<TypeParam> rig;
    rig.create();
    const auto request = [&](std::uint64_t key) {
        auto operation = rig.entries();
        operation->submit("ann", 1).with_key(key, 5);
        return rig.run(std::move(operation));
    };
    for (const bool between : {false, true}) {
        const auto first = request(1);
        rig.clock().move(std::chrono::hours(30));
        if (between) request(2);
        const auto second = request(1);
        EXPECT_FALSE(second->replayed);
        EXPECT_GT(second->outcomes[0].seq, first->outcomes[0].seq);
        rig.crash_and_start();
        const auto again = request(1);
        EXPECT_TRUE(again->replayed);
        EXPECT_EQ(again->outcomes[0].seq, second->outcomes[0].seq);
        rig.clock().move(std::chrono::hours(30));
    }
}

// Whatever arrives without a key says that time passes: else an old key would hold all events back.
TYPED_TEST(EngineTest, ForgetsAKeyThroughManyStarts) {
    Rig<TypeParam> rig;
    rig.create();
    const auto request = [&](std::uint64_t key) {
        auto operation = rig.entries();
        operation->submit("ann", 1).with_key(key, 5);
        return rig.run(std::move(operation));
    };
    request(1);
    for (int hour = 1; hour <= 60; ++hour) {
        rig.clock().move(std::chrono::hours(1));
        auto operation = rig.entries();
        operation->submit("bob", hour);
        rig.run(std::move(operation));
        if (hour % 10 == 0) rig.crash_and_start();
        if (hour == 20) {
            EXPECT_TRUE(request(1)->replayed);
        }
    }
    EXPECT_FALSE(request(1)->replayed);
}

TYPED_TEST(EngineTest, TellsTheSecondOfTwoThatTheFirstIsUnderWay) {
    Rig<TypeParam> rig;
    rig.create();
    {
        const Plug plug(rig.engine());
        for (int i = 0; i < 2; ++i) {
            auto operation = rig.entries();
            operation->submit("ann", 2).with_key(9, 5);
            rig.push(std::move(operation));
        }
    }
    const auto groups = rig.desk().take(2);
    EXPECT_FALSE(static_cast<Entries&>(*groups[0][0]).error);
    const auto& second = static_cast<Entries&>(*groups[0][1]);
    ASSERT_TRUE(second.error);
    EXPECT_EQ(second.error->code, ErrorCode::kIdempotencyRunning);
}

TYPED_TEST(EngineTest, ReplaysAStepOfABoard) {
    Rig<TypeParam> rig;
    const auto create = [&](std::uint64_t fingerprint) {
        auto step = std::make_unique<BoardStep>(rig.desk());
        step->kind = EventKind::kBoardCreated;
        step->slug = "a";
        step->key = RequestKey{{7, 1}, fingerprint};
        return rig.run(std::move(step));
    };
    const auto first = create(1);
    ASSERT_FALSE(first->error);
    rig.submit("ann", 1);
    rig.crash_and_start();
    const auto again = create(1);
    ASSERT_FALSE(again->error);
    EXPECT_TRUE(again->replayed);
    EXPECT_EQ(again->seq, first->seq);
    EXPECT_EQ(again->board, rig.board());
    EXPECT_EQ(create(2)->error->code, ErrorCode::kIdempotencyMismatch);

    auto plain = rig.step_board(EventKind::kBoardCreated);
    EXPECT_EQ(plain->error->code, ErrorCode::kBoardExists);
    EXPECT_EQ(plain->error->pointer, "/id");
}

// A replayed receipt shows the player who asks, not whoever has the slot by now.
TYPED_TEST(EngineTest, ReadsTheReceiptOfAReplayFromThePlayersPresentSlot) {
    Rig<TypeParam> rig(eager());
    rig.create();
    const auto request = [&] {
        auto operation = rig.entries();
        operation->submit("ann", 10).with_key(9, 5);
        return rig.run(std::move(operation));
    };
    const auto first = request();
    auto removal = rig.entries();
    removal->remove("ann");
    rig.run(std::move(removal));
    rig.rest();
    EXPECT_EQ(rig.submit("bob", 99)->outcomes[0].slot, first->outcomes[0].slot);

    const auto gone = request();
    ASSERT_TRUE(gone->replayed);
    EXPECT_FALSE(read_receipt(*rig.board(), "ann", gone->outcomes[0]).row);

    rig.submit("ann", 3);
    const auto back = request();
    ASSERT_TRUE(back->replayed);
    const auto reading = read_receipt(*rig.board(), "ann", back->outcomes[0]);
    ASSERT_TRUE(reading.row);
    EXPECT_EQ(reading.row->scores.units[0], 3);
    EXPECT_EQ(reading.row->place.rank.value, 2U);
}

// --- streams ---------------------------------------------------------------------------------

TYPED_TEST(EngineTest, LetsOneConnectionAtATimeCarryAStream) {
    Rig<TypeParam> rig;
    using Step = StreamOperation::Step;
    const base::Hash128 key{3, 4};
    const auto first = rig.step_stream(Step::kOpen, key);
    EXPECT_FALSE(first->error);
    EXPECT_FALSE(first->record);
    EXPECT_EQ(rig.step_stream(Step::kOpen, key)->error->code, ErrorCode::kIdempotencyRunning);
    EXPECT_FALSE(rig.step_stream(Step::kOpen, {3, 5})->error);
    rig.step_stream(Step::kRelease, key);
    EXPECT_FALSE(rig.step_stream(Step::kOpen, key)->error);
}

TYPED_TEST(EngineTest, RemembersHowFarAStreamCame) {
    Rig<TypeParam> rig;
    ledger::BoardConfig config;
    config.limits[0].max = 100;
    rig.step_board(EventKind::kBoardCreated, "a", config);
    const base::Hash128 key{3, 4};
    rig.step_stream(StreamOperation::Step::kOpen, key);
    const auto piece = [&](std::uint64_t lines, bool complete) {
        auto operation = rig.entries();
        operation->atomic = false;
        operation->submit("ann", static_cast<std::int64_t>(lines)).submit("bob", 101);
        operation->stream = StreamProgress{.key = key,
                                           .lines_before = lines - 3,
                                           .lines = lines,
                                           .running_hash = lines * 11,
                                           .rejected_by_reader = 1,
                                           .complete = complete};
        return operation;
    };
    {
        const Plug plug(rig.engine());
        rig.push(piece(3, false), Lane::kBulk);
        rig.push(piece(6, false), Lane::kBulk);
    }
    const auto groups = rig.desk().take(2);
    const auto& second = static_cast<Entries&>(*groups[0][1]);
    ASSERT_TRUE(second.stream_after);
    EXPECT_EQ(second.stream_after->lines, 6U);
    EXPECT_EQ(second.stream_after->accepted, 2U);
    EXPECT_EQ(second.stream_after->rejected, 4U);

    rig.crash_and_start();
    const auto again = rig.step_stream(StreamOperation::Step::kOpen, key);
    ASSERT_TRUE(again->record);
    EXPECT_EQ(*again->record, *second.stream_after);
    EXPECT_EQ(again->record->running_hash, 66U);

    auto last = piece(9, true);
    const auto done = rig.run(std::move(last));
    EXPECT_EQ(done->stream_after->accepted, 3U);
    rig.step_stream(StreamOperation::Step::kRelease, key);
    const auto finished = rig.step_stream(StreamOperation::Step::kOpen, key);
    EXPECT_TRUE(finished->record->complete);
    EXPECT_EQ(finished->record->seq, done->outcomes[0].seq);
}

TYPED_TEST(EngineTest, RefusesAPieceOfAStreamBehindOneThatWasNotStored) {
    Rig<TypeParam> rig;
    rig.create();
    const base::Hash128 key{3, 4};
    rig.step_stream(StreamOperation::Step::kOpen, key);
    auto operation = rig.entries();
    operation->atomic = false;
    operation->submit("ann", 5);
    operation->stream = StreamProgress{.key = key, .lines_before = 256, .lines = 512};
    const auto refused = rig.run(std::move(operation));
    ASSERT_TRUE(refused->error);
    EXPECT_EQ(refused->error->code, ErrorCode::kOverloaded);
    EXPECT_FALSE(rig.step_stream(StreamOperation::Step::kOpen, {5, 6})->record);
}

TYPED_TEST(EngineTest, RemembersAPieceOfWhichNothingWasAccepted) {
    Rig<TypeParam> rig;
    rig.create();
    const base::Hash128 key{3, 4};
    rig.step_stream(StreamOperation::Step::kOpen, key);
    auto operation = rig.entries();
    operation->atomic = false;
    operation->stream = StreamProgress{.key = key, .lines = 5, .rejected_by_reader = 5};
    EXPECT_FALSE(rig.run(std::move(operation))->error);
    rig.crash_and_start();
    const auto again = rig.step_stream(StreamOperation::Step::kOpen, key);
    ASSERT_TRUE(again->record);
    EXPECT_EQ(again->record->lines, 5U);
    EXPECT_EQ(again->record->rejected, 5U);
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

// --- boards while operations wait -------------------------------------------------------------

TYPED_TEST(EngineTest, PutsWhatWaitedIntoTheNewLifeOfAResetBoard) {
    Rig<TypeParam> rig;
    rig.create();
    rig.submit("ann", 50);
    {
        const Plug plug(rig.engine());
        auto step = std::make_unique<BoardStep>(rig.desk());
        step->kind = EventKind::kBoardReset;
        step->slug = "a";
        rig.push(std::move(step));
        auto waiting = rig.entries();
        waiting->submit("bob", 1).submit("ann", 2);
        rig.push(std::move(waiting));
    }
    rig.desk().take(2);
    EXPECT_EQ(rig.table(), "ann 1 2, bob 2 1");
    rig.crash_and_start();
    EXPECT_EQ(rig.table(), "ann 1 2, bob 2 1");
    EXPECT_EQ(rig.board()->seq(), rig.engine().applied_seq());
}

TYPED_TEST(EngineTest, CountsNothingOfAnEndedLife) {
    Rig<TypeParam> rig;
    rig.create();
    rig.submit("ann", 1);
    {
        const Plug plug(rig.engine());
        auto waiting = rig.entries();
        waiting->submit("ann", 2).submit("bob", 1);
        rig.push(std::move(waiting));
        auto step = std::make_unique<BoardStep>(rig.desk());
        step->kind = EventKind::kBoardReset;
        step->slug = "a";
        rig.push(std::move(step));
    }
    rig.desk().take(2);
    EXPECT_EQ(rig.engine().statistics().dirty_entries, 0U);
    EXPECT_EQ(rig.engine().statistics().players, 0U);
}

// The slot that a receipt remembers may belong to somebody else in the board's new life.
TYPED_TEST(EngineTest, ReadsNoReceiptFromAnotherPlayersRow) {
    Rig<TypeParam> rig;
    rig.create();
    const auto ann = rig.submit("ann", 50);
    rig.step_board(EventKind::kBoardReset);
    EXPECT_EQ(rig.submit("bob", 7)->outcomes[0].slot, ann->outcomes[0].slot);
    EXPECT_FALSE(read_receipt(ann->board(), "ann", ann->outcomes[0]).row);
}

TYPED_TEST(EngineTest, RefusesWhatWaitedForADeletedBoard) {
    Rig<TypeParam> rig;
    rig.create();
    rig.submit("ann", 50);
    {
        const Plug plug(rig.engine());
        auto waiting = rig.entries();
        waiting->submit("bob", 1);
        auto step = std::make_unique<BoardStep>(rig.desk());
        step->kind = EventKind::kBoardDeleted;
        step->slug = "a";
        rig.push(std::move(step));
        auto made_anew = std::make_unique<BoardStep>(rig.desk());
        made_anew->kind = EventKind::kBoardCreated;
        made_anew->slug = "a";
        rig.push(std::move(made_anew));
        rig.push(std::move(waiting));
    }
    const auto groups = rig.desk().take(3);
    EXPECT_EQ(static_cast<Entries&>(*groups[2][0]).error->code, ErrorCode::kBoardNotFound);
    EXPECT_EQ(rig.table(), "");
    EXPECT_EQ(rig.board()->seq().value, 4U) << "a slug made anew goes on with a larger seq";
    rig.crash_and_start();
    EXPECT_EQ(rig.table(), "");
    EXPECT_EQ(rig.board()->seq().value, 4U);
}

TYPED_TEST(EngineTest, RefusesScoresThatWereReadForOtherColumns) {
    Rig<TypeParam> rig;
    rig.create();
    {
        const Plug plug(rig.engine());
        auto waiting = rig.entries();
        waiting->submit("bob", 150);
        auto step = std::make_unique<BoardStep>(rig.desk());
        step->kind = EventKind::kBoardChanged;
        step->slug = "a";
        step->config.rules.columns[0].decimals = 2;
        rig.push(std::move(step));
        rig.push(std::move(waiting));
    }
    const auto groups = rig.desk().take(2);
    EXPECT_FALSE(static_cast<BoardStep&>(*groups[0][0]).error);
    EXPECT_EQ(static_cast<Entries&>(*groups[1][0]).error->code, ErrorCode::kRevisionMismatch);
    EXPECT_FALSE(rig.submit("bob", 150)->error);
    auto step = rig.step_board(EventKind::kBoardChanged);
    EXPECT_EQ(step->error->code, ErrorCode::kBoardNotEmpty);
}

TYPED_TEST(EngineTest, ClosesAndReopensABoard) {
    Rig<TypeParam> rig;
    rig.create();
    rig.submit("ann", 1);
    EXPECT_EQ(rig.board()->record().revision, 1U);
    EXPECT_FALSE(rig.step_board(EventKind::kBoardClosed)->error);
    const auto again = rig.step_board(EventKind::kBoardClosed);
    EXPECT_FALSE(again->error);
    EXPECT_EQ(again->seq, rig.board()->seq());
    EXPECT_EQ(rig.board()->record().revision, 2U);
    rig.crash_and_start();
    EXPECT_EQ(rig.submit("ann", 5)->error->code, ErrorCode::kBoardClosed);
    auto removal = rig.entries();
    removal->remove("ann");
    EXPECT_FALSE(rig.run(std::move(removal))->error);
    rig.step_board(EventKind::kBoardReopened);
    EXPECT_FALSE(rig.submit("ann", 5)->error);
    auto stale = std::make_unique<BoardStep>(rig.desk());
    stale->kind = EventKind::kBoardClosed;
    stale->slug = "a";
    stale->expected_revision = 2;
    EXPECT_EQ(rig.run(std::move(stale))->error->code, ErrorCode::kRevisionMismatch);
    EXPECT_EQ(rig.step_board(EventKind::kBoardReset, "none")->error->code,
              ErrorCode::kBoardNotFound);
}

// What `last` knows of earlier times begins with the rule: the scores that came before it have
// none, running or started anew.
TYPED_TEST(EngineTest, StartsAfterTheRuleBecameLast) {
    Rig<TypeParam> rig;
    rig.create();
    const base::Instant now = HandClock::kStart;
    auto early = rig.entries();
    early->submit("ann", 10).occurred_at({now.ms - 1000});
    early->submit("bob", 10).occurred_at({now.ms - 1000});
    rig.run(std::move(early));
    ledger::BoardConfig config;
    config.rules.rule = ranking::Rule::kLast;
    ASSERT_FALSE(rig.step_board(EventKind::kBoardChanged, "a", config)->error);
    auto older = rig.entries();
    older->submit("ann", 4).occurred_at({now.ms - 2000});
    EXPECT_EQ(rig.run(std::move(older))->outcomes[0].outcome, Outcome::kReplaced);
    rig.crash_and_start();
    EXPECT_EQ(rig.table(), "bob 1 10, ann 2 4");
    auto older_too = rig.entries();
    older_too->submit("bob", 3).occurred_at({now.ms - 2000});
    EXPECT_EQ(rig.run(std::move(older_too))->outcomes[0].outcome, Outcome::kReplaced);
}

TYPED_TEST(EngineTest, ReplaysScoresFromBeforeAChangeOfTheRule) {
    Rig<TypeParam> rig;
    ledger::BoardConfig config;
    config.rules.rule = ranking::Rule::kLast;
    rig.step_board(EventKind::kBoardCreated, "a", config);
    rig.submit("ann", 10);
    rig.submit("ann", 3);
    config.rules.rule = ranking::Rule::kSum;
    rig.step_board(EventKind::kBoardChanged, "a", config);
    rig.submit("ann", 4);
    config.title = "Sums";
    rig.step_board(EventKind::kBoardChanged, "a", config);
    config.rules.rule = ranking::Rule::kBest;
    rig.step_board(EventKind::kBoardChanged, "a", config);
    rig.submit("ann", 5);
    const auto before =
        rig.board()->read([](const HostedBoard::View& view) { return view.board.entry({0}); });
    rig.crash_and_start();
    const auto after =
        rig.board()->read([](const HostedBoard::View& view) { return view.board.entry({0}); });
    EXPECT_EQ(before, after);
    EXPECT_EQ(after->scores.units[0], 7);
    EXPECT_EQ(after->submissions, 4U);
}

TYPED_TEST(EngineTest, RefusesAChangeOfTheRuleWhileTheDiskDoes) {
    Rig<TypeParam> rig;
    rig.create();
    rig.submit("ann", 10);
    ledger::BoardConfig config;
    config.rules.rule = ranking::Rule::kLast;
    {
        const Plug plug(rig.engine());
        rig.ledger().fail_begin(base::Error{ErrorCode::kNoSpace, "the disk is full"});
    }
    EXPECT_EQ(rig.step_board(EventKind::kBoardChanged, "a", config)->error->code,
              ErrorCode::kReadOnly);
    EXPECT_EQ(rig.board()->record().config.rules.rule, ranking::Rule::kBest);
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
