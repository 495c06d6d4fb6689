// Boards that change while operations wait.
#include "engine/engine.h"
#include "engine/engine_harness.h"

namespace standings::engine {
namespace {

using base::ErrorCode;
using ledger::EventKind;
using ranking::Outcome;

template <class Subject>
class EngineBoards : public ::testing::Test {};
TYPED_TEST_SUITE(EngineBoards, Subjects);

TYPED_TEST(EngineBoards, PutsWhatWaitedIntoTheNewLifeOfAResetBoard) {
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

TYPED_TEST(EngineBoards, CountsNothingOfAnEndedLife) {
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

TYPED_TEST(EngineBoards, KeepsNothingOfAnEndedLifeInMemory) {
    Rig<TypeParam> rig;
    const auto cached = [&] { return rig.engine().details().bytes(); };
    for (const EventKind end : {EventKind::kBoardReset, EventKind::kBoardDeleted}) {
        if (end == EventKind::kBoardReset) rig.create();
        auto named = rig.entries();
        named->submit("ann", 1).name("Ann").submit("bob", 2).name("Bob");
        rig.run(std::move(named));
        EXPECT_GT(cached(), 0U);
        const auto ranking = rig.engine().feed().of_all().items.back()->event.ranking;
        EXPECT_EQ(rig.engine().feed().of_board(ranking, {0}).items.size(), 2U);
        rig.step_board(end);
        EXPECT_TRUE(rig.engine().feed().of_board(ranking, {0}).items.empty());
        wait_until([&] { return cached() == 0; });  // they are freed in the background
    }
}

// The slot that a receipt remembers may belong to somebody else in the board's new life.
TYPED_TEST(EngineBoards, ReadsNoReceiptFromAnotherPlayersRow) {
    Rig<TypeParam> rig;
    rig.create();
    const auto ann = rig.submit("ann", 50);
    rig.step_board(EventKind::kBoardReset);
    EXPECT_EQ(rig.submit("bob", 7)->outcomes[0].slot, ann->outcomes[0].slot);
    EXPECT_FALSE(read_receipt(ann->board(), "ann", ann->outcomes[0]).row);
}

TYPED_TEST(EngineBoards, RefusesWhatWaitedForADeletedBoard) {
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

TYPED_TEST(EngineBoards, RefusesScoresThatWereReadForOtherColumns) {
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

TYPED_TEST(EngineBoards, ClosesAndReopensABoard) {
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
TYPED_TEST(EngineBoards, StartsAfterTheRuleBecameLast) {
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

TYPED_TEST(EngineBoards, ReplaysScoresFromBeforeAChangeOfTheRule) {
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

TYPED_TEST(EngineBoards, RefusesAChangeOfTheRuleWhileTheDiskDoes) {
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

}  // namespace
}  // namespace standings::engine
