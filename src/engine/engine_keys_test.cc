// Idempotency keys of requests and of streams.
#include "engine/engine.h"
#include "engine/engine_harness.h"

namespace standings::engine {
namespace {

using base::ErrorCode;
using ledger::EventKind;
using Lane = EntryOperation::Lane;

template <class Subject>
class EngineKeys : public ::testing::Test {};
TYPED_TEST_SUITE(EngineKeys, Subjects);

TYPED_TEST(EngineKeys, ReplaysARequestWithItsKey) {
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

TYPED_TEST(EngineKeys, RemembersSoManyKeysThroughARestartHoweverLargeTheirArraysWere) {
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

TYPED_TEST(EngineKeys, ForgetsAKeyWhenItsWindowIsOver) {
    Rig<TypeParam> rig;
    rig.create();
    rig.submit_keyed(9);
    rig.clock().move(std::chrono::hours(24));
    EXPECT_TRUE(rig.submit_keyed(9)->replayed);
    rig.clock().move(std::chrono::milliseconds(1));
    EXPECT_FALSE(rig.submit_keyed(9)->replayed);
}

// The oldest keys of a clock that was set are as new as they are: a retry must not count again.
TYPED_TEST(EngineKeys, RemembersKeysWhenTheClockIsSet) {
    Rig<TypeParam> rig;
    ranking::Rules rules;
    rules.rule = ranking::Rule::kSum;
    rig.create("a", rules);
    constexpr auto kYears = std::chrono::hours(24 * 365 * 10);
    std::uint64_t keys = 0;
    for (const auto jump : {std::chrono::hours(0), kYears, -kYears, -kYears, 2 * kYears}) {
        rig.clock().set_ahead(jump);
        for (std::uint64_t key = 1; key <= keys; ++key)
            EXPECT_TRUE(rig.submit_keyed(key)->replayed) << key;
        EXPECT_FALSE(rig.submit_keyed(++keys)->replayed);
        rig.clock().move(std::chrono::minutes(1));
        rig.crash_and_start();
        for (std::uint64_t key = 1; key <= keys; ++key)
            EXPECT_TRUE(rig.submit_keyed(key)->replayed) << key;
    }
    EXPECT_EQ(rig.table(), "ann 1 5");
    // Their time passes all the same.
    rig.clock().move(std::chrono::hours(24));
    EXPECT_FALSE(rig.submit_keyed(1)->replayed);
}

TYPED_TEST(EngineKeys, TheNewerUseOfAKeyCountsAfterAStart) {
    Rig<TypeParam> rig;
    rig.create();
    for (const bool between : {false, true}) {
        const auto first = rig.submit_keyed(1);
        rig.clock().move(std::chrono::hours(30));
        if (between) rig.submit_keyed(2);
        const auto second = rig.submit_keyed(1);
        EXPECT_FALSE(second->replayed);
        EXPECT_GT(second->outcomes[0].seq, first->outcomes[0].seq);
        rig.crash_and_start();
        const auto again = rig.submit_keyed(1);
        EXPECT_TRUE(again->replayed);
        EXPECT_EQ(again->outcomes[0].seq, second->outcomes[0].seq);
        rig.clock().move(std::chrono::hours(30));
    }
}

// Whatever arrives without a key says that time passes: else an old key would hold all events back.
TYPED_TEST(EngineKeys, ForgetsAKeyThroughManyStarts) {
    Rig<TypeParam> rig;
    rig.create();
    rig.submit_keyed(1);
    for (int hour = 1; hour <= 60; ++hour) {
        rig.clock().move(std::chrono::hours(1));
        auto operation = rig.entries();
        operation->submit("bob", hour);
        rig.run(std::move(operation));
        if (hour % 10 == 0) rig.crash_and_start();
        if (hour == 20) {
            EXPECT_TRUE(rig.submit_keyed(1)->replayed);
        }
    }
    EXPECT_FALSE(rig.submit_keyed(1)->replayed);
}

TYPED_TEST(EngineKeys, TellsTheSecondOfTwoThatTheFirstIsUnderWay) {
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

TYPED_TEST(EngineKeys, ReplaysAStepOfABoard) {
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
TYPED_TEST(EngineKeys, ReadsTheReceiptOfAReplayFromThePlayersPresentSlot) {
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

TYPED_TEST(EngineKeys, LetsOneConnectionAtATimeCarryAStream) {
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

TYPED_TEST(EngineKeys, RemembersHowFarAStreamCame) {
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

TYPED_TEST(EngineKeys, RefusesAPieceOfAStreamBehindOneThatWasNotStored) {
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

TYPED_TEST(EngineKeys, RemembersAPieceOfWhichNothingWasAccepted) {
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

}  // namespace
}  // namespace standings::engine
