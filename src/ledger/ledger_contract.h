// What every ledger promises. A ledger's test names a subject and instantiates the suite:
//
//     struct Subject { std::unique_ptr<Ledger> open(); };  // each call: a restart on the same data
//     INSTANTIATE_TYPED_TEST_SUITE_P(Memory, LedgerContract, Subject);
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "ledger/rows.h"
#include "ledger/tiny_engine.h"

namespace standings::ledger {

template <class Row>
std::vector<Row> all_of(base::Result<std::unique_ptr<Cursor<Row>>> cursor) {
    std::vector<Row> rows;
    for (Row row; cursor.value()->next(row).value();) rows.push_back(row);
    return rows;
}

template <class Subject>
class LedgerContract : public ::testing::Test {
  protected:
    LedgerContract() : ledger_(subject_.open()), engine_(1) {}

    void reopen() {
        ledger_.reset();
        ledger_ = subject_.open();
    }

    // A board with `players` players who have 10, 20, 30 ... points, committed.
    base::BoardId board_with_players(std::size_t players, const std::string& slug = "speedrun") {
        const base::BoardId board = engine_.create_board(slug, ranking::Rules());
        for (std::size_t i = 0; i < players; ++i) {
            engine_.submit(board, "p" + std::to_string(i),
                           {{static_cast<std::int64_t>(i + 1) * 10}});
        }
        EXPECT_EQ(engine_.commit(*ledger_), CommitOutcome::kCommitted);
        return board;
    }
    void fold_everything() {
        engine_.plan_write_back(1'000'000);
        EXPECT_EQ(engine_.commit(*ledger_), CommitOutcome::kCommitted);
    }
    void upkeep() {
        while (ledger_->maintain({1'700'000'000'000}, kNoKeys).value()) {
        }
    }

    Subject subject_;
    std::unique_ptr<Ledger> ledger_;
    TinyEngine engine_;
};

TYPED_TEST_SUITE_P(LedgerContract);

TYPED_TEST_P(LedgerContract, StartsEmpty) {
    const LedgerState& state = this->ledger_->state();
    EXPECT_FALSE(state.epoch.empty());
    EXPECT_EQ(state.last_seq.value, 0U);
    EXPECT_EQ(state.fold_mark.value, 0U);
    EXPECT_EQ(state.next_board.value, 1U);
    EXPECT_EQ(state.next_ranking.value, 1U);
    EXPECT_TRUE(this->ledger_->boards().value().empty());
    EXPECT_TRUE(all_of(this->ledger_->players()).empty());
    EXPECT_TRUE(all_of(this->ledger_->entries()).empty());
    EXPECT_TRUE(all_of(this->ledger_->events({0})).empty());
    EXPECT_FALSE(this->ledger_->event({1}).value());
}

TYPED_TEST_P(LedgerContract, KeepsItsIdentityOverARestart) {
    const LedgerState before = this->ledger_->state();
    this->reopen();
    EXPECT_EQ(this->ledger_->state().epoch, before.epoch);
    EXPECT_EQ(this->ledger_->state().hash_seed, before.hash_seed);
}

TYPED_TEST_P(LedgerContract, GivesBackEventsInOrderAsTheyWere) {
    this->engine_.create_board("a", ranking::Rules());
    for (int i = 0; i < 40; ++i) this->engine_.random_batch(5);
    const std::vector<Event> sent = this->engine_.pending_events();
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    for (int turn = 0; turn < 2; ++turn) {
        const std::vector<Event> found = all_of(this->ledger_->events({0}));
        ASSERT_EQ(found.size(), sent.size());
        for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(found[i], canonical(sent[i]));
        EXPECT_EQ(all_of(this->ledger_->events({7})).front().seq.value, 8U);
        EXPECT_EQ(this->ledger_->event({9}).value(), canonical(sent[8]));
        this->reopen();
    }
}

TYPED_TEST_P(LedgerContract, GivesBackABatchWithAllItsPartsAfterARestart) {
    const base::BoardId board = this->board_with_players(5);
    this->engine_.submit(board, "p2", {{35}}, {3, 4});
    this->engine_.submit(board, "new", {{36}});
    this->engine_.rename(board, {1}, {.name = "Ada", .meta = "{}"});
    this->engine_.remove(board, {3});
    this->engine_.create_board("second", ranking::Rules());
    this->engine_.put_stream({.key = {5, 6},
                              .lines = 7,
                              .running_hash = ~0ULL,
                              .accepted = 6,
                              .rejected = 1,
                              .seq = {3},
                              .at = {12},
                              .complete = true});
    this->engine_.plan_write_back(3);
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    this->engine_.check_against(*this->ledger_);
    this->reopen();
    this->engine_.check_against(*this->ledger_);
    EXPECT_EQ(all_of(this->ledger_->entries()).size(), 3U);
}

TYPED_TEST_P(LedgerContract, ARolledBackBatchLeavesNothing) {
    const base::BoardId board = this->board_with_players(3);
    this->engine_.submit(board, "late", {{99}});
    ASSERT_TRUE(this->ledger_->begin({}));
    ASSERT_TRUE(this->ledger_->append(this->engine_.batch()));
    this->ledger_->roll_back();
    this->engine_.abandon();
    this->engine_.check_against(*this->ledger_);
    // The same seq is free for the next batch.
    this->engine_.submit(board, "next", {{98}});
    EXPECT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    this->reopen();
    this->engine_.check_against(*this->ledger_);
}

TYPED_TEST_P(LedgerContract, ABatchThatWasNotCommittedIsGoneAfterARestart) {
    const base::BoardId board = this->board_with_players(3);
    this->engine_.submit(board, "late", {{99}});
    ASSERT_TRUE(this->ledger_->begin({}));
    ASSERT_TRUE(this->ledger_->append(this->engine_.batch()));
    this->engine_.abandon();
    this->reopen();
    this->engine_.check_against(*this->ledger_);
}

// All that a snapshot shows of a ranking, with the events past `after`.
struct SnapshotRows {
    std::vector<PlayerRecord> players;
    std::vector<EntryRecord> entries;
    std::vector<Event> events;
    friend bool operator==(const SnapshotRows&, const SnapshotRows&) = default;
};

inline SnapshotRows rows_of(LedgerReader& reader, base::RankingId ranking, base::Sequence after) {
    return {all_of(reader.players(ranking)), all_of(reader.entries(ranking)),
            all_of(reader.events(ranking, after))};
}

TYPED_TEST_P(LedgerContract, ASnapshotStandsStillWhileTheWriterGoesOn) {
    const base::BoardId board = this->board_with_players(3);
    this->board_with_players(2, "other");
    this->fold_everything();
    this->engine_.submit(board, "p1", {{500}});
    this->engine_.submit(board, "p9", {{7}});
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);

    auto reader = this->ledger_->open_reader().value();
    const SnapshotState state = reader->begin_snapshot().value();
    EXPECT_EQ(state.last_seq, this->ledger_->state().last_seq);
    EXPECT_EQ(state.fold_mark, this->ledger_->state().fold_mark);
    const BoardRecord record = reader->board(board).value().value();
    EXPECT_EQ(record.slug, "speedrun");
    EXPECT_FALSE(reader->board({99}).value());
    const SnapshotRows then = rows_of(*reader, record.ranking, state.fold_mark);
    EXPECT_EQ(then.players.size(), 4U) << "of this board alone";
    EXPECT_EQ(then.entries.size(), 3U) << "the fourth is in the events";
    ASSERT_EQ(then.events.size(), 2U);
    EXPECT_EQ(then.events[0].input.units[0], 500);
    EXPECT_EQ(then.players[3].player, "p9");

    this->engine_.submit(board, "p0", {{900}});
    this->engine_.submit(board, "late", {{901}});
    this->engine_.rename(board, {2}, {.name = "Ada", .meta = {}});
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    this->fold_everything();
    this->upkeep();
    EXPECT_EQ(rows_of(*reader, record.ranking, state.fold_mark), then);
    EXPECT_EQ(reader->board(board).value().value(), record);

    reader->end_snapshot();
    const SnapshotState now = reader->begin_snapshot().value();
    EXPECT_EQ(now.last_seq, this->ledger_->state().last_seq);
    EXPECT_EQ(now.fold_mark, this->ledger_->state().fold_mark);
    EXPECT_EQ(rows_of(*reader, record.ranking, now.fold_mark).entries.size(), 5U);
    reader->end_snapshot();
    reader->end_snapshot();
}

TYPED_TEST_P(LedgerContract, AReaderSeesCommittedRowsOnly) {
    const base::BoardId board = this->board_with_players(2);
    auto reader = this->ledger_->open_reader().value();
    this->engine_.rename(board, {0}, {.name = "Ada", .meta = {}});
    const EntryKey key{{1}, {0}};
    ASSERT_TRUE(this->ledger_->begin({}));
    ASSERT_TRUE(this->ledger_->append(this->engine_.batch()));
    EXPECT_FALSE(reader->event({4}).value());
    EXPECT_NE(reader->details({&key, 1}).value()[0].details.name, "Ada");
    ASSERT_EQ(this->ledger_->commit().outcome, CommitOutcome::kCommitted);
    this->engine_.take_over();
    EXPECT_TRUE(reader->event({4}).value());
    EXPECT_EQ(reader->details({&key, 1}).value()[0].details.name, "Ada");
}

TYPED_TEST_P(LedgerContract, AReaderGoesThroughARankingInOrder) {
    const base::BoardId one = this->board_with_players(3);
    const base::BoardId two = this->board_with_players(3, "other");
    this->engine_.submit(one, "p0", {{99}});
    this->engine_.submit(two, "p0", {{98}});
    this->engine_.remove(one, {1});
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    auto reader = this->ledger_->open_reader().value();
    const base::RankingId ranking{1};

    const RankingEvents all = reader->ranking_events(ranking, {}, 100).value();
    ASSERT_EQ(all.events.size(), 5U);
    EXPECT_TRUE(all.at_end);
    EXPECT_EQ(all.looked_to, this->engine_.state().last_seq);
    for (const Event& event : all.events) {
        EXPECT_EQ(event.board, one);
        EXPECT_EQ(event, reader->event(event.seq).value());
    }
    const RankingEvents part = reader->ranking_events(ranking, all.events[0].seq, 2).value();
    ASSERT_EQ(part.events.size(), 2U);
    EXPECT_EQ(part.events[1].seq, all.events[2].seq);
    EXPECT_EQ(part.looked_to, all.events[2].seq);
    EXPECT_FALSE(part.at_end);
    const RankingEvents none = reader->ranking_events(ranking, all.looked_to, 2).value();
    EXPECT_TRUE(none.events.empty() && none.at_end);
    EXPECT_EQ(none.looked_to, all.looked_to);
}

TYPED_TEST_P(LedgerContract, AReaderKnowsWhoHasASlotAndWhatWasUndone) {
    const base::BoardId board = this->board_with_players(3);
    const EntryKey keys[] = {{{1}, {0}}, {{1}, {1}}, {{1}, {9}}};
    this->engine_.take_back(board, {0}, {.seq = {2}, .onwards = true, .entry = {}});
    this->engine_.remove(board, {1});
    this->engine_.submit(board, "p2", {{5}});
    this->engine_.take_back(board, {2}, {.seq = {4}, .onwards = false, .entry = {}});
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    auto reader = this->ledger_->open_reader().value();
    const auto players = reader->details(keys).value();
    ASSERT_EQ(players.size(), 3U);
    EXPECT_EQ(players[1].player, "p1");
    EXPECT_EQ(players[2].player, "");
    const auto undone = reader->undoings(keys, {4}).value();
    ASSERT_EQ(undone.size(), 2U);
    EXPECT_EQ(undone[0].kind, EventKind::kTakenBack);
    EXPECT_EQ(take_back_of(undone[0]).seq.value, 2U);
    EXPECT_TRUE(take_back_of(undone[0]).onwards);
    EXPECT_EQ(undone[1].kind, EventKind::kRemove);
    EXPECT_EQ(reader->undoings(keys, {5}).value().size(), 1U);
}

TYPED_TEST_P(LedgerContract, AReaderGivesUpWhenItsTimeIsOver) {
    class StillClock final : public base::Clock {
      public:
        base::Instant now() const override { return {}; }
        base::Monotonic monotonic() const override { return std::chrono::seconds(5); }
    };
    this->board_with_players(3);
    auto reader = this->ledger_->open_reader().value();
    const StillClock clock;
    reader->set_deadline({&clock, std::chrono::seconds(6)});
    EXPECT_TRUE(reader->event({2}));
    reader->set_deadline({&clock, std::chrono::seconds(5)});
    EXPECT_EQ(reader->event({2}).error().code, base::ErrorCode::kReadTimeout);
    EXPECT_TRUE(reader->ranking_events({1}, {}, 10)) << "it gives what it has";
    reader->set_deadline({});
    EXPECT_TRUE(reader->event({2}));
}

TYPED_TEST_P(LedgerContract, DetailsChangeOneByOneAndAnEmptyTextRemoves) {
    const base::BoardId board = this->board_with_players(1);
    const EntryKey key{{1}, {0}};
    const auto change = [&](const Details& details) {
        this->engine_.rename(board, {0}, details);
        ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    };
    change({.name = "Ada", .meta = {}});
    change({.name = {}, .meta = "{\"x\":1}"});
    EXPECT_EQ(this->ledger_->details(key).value(), (Details{"Ada", "{\"x\":1}"}));
    change({.name = "", .meta = {}});
    EXPECT_EQ(this->ledger_->details(key).value(), (Details{{}, "{\"x\":1}"}));
    EXPECT_EQ(this->ledger_->details({{9}, {9}}).value(), Details{});
}

TYPED_TEST_P(LedgerContract, KeyedEventsAreTheLastOnesInsideTheWindow) {
    const base::BoardId board = this->board_with_players(1);
    for (std::uint64_t i = 1; i <= 20; ++i) {
        this->engine_.submit(board, "p0", {{static_cast<std::int64_t>(i)}},
                             i % 2 == 0 ? base::Hash128{7, i} : base::Hash128{});
    }
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    const auto keyed = all_of(this->ledger_->keyed_events(std::chrono::hours(24), 3));
    ASSERT_EQ(keyed.size(), 3U);
    EXPECT_EQ(keyed[0].key, (base::Hash128{7, 16}));
    EXPECT_EQ(keyed[2].key, (base::Hash128{7, 20}));
    EXPECT_LT(keyed[0].seq, keyed[1].seq);

    const Event last = this->ledger_->event(keyed[2].seq).value().value();
    EXPECT_EQ(last.key, keyed[2].key);
    EXPECT_EQ(last.fingerprint, 20U);
    EXPECT_EQ(all_of(this->ledger_->keyed_events(std::chrono::hours(24), 100)).size(), 10U);
}

TYPED_TEST_P(LedgerContract, KeyedEventsEndWhereTheWindowDoes) {
    const base::BoardId board = this->board_with_players(1);
    for (std::uint64_t i = 1; i <= 100; ++i) {
        this->engine_.submit(board, "p0", {{1}}, base::Hash128{7, i});
    }
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    const auto keyed = all_of(this->ledger_->keyed_events(std::chrono::hours(24), 100));
    ASSERT_EQ(keyed.size(), 100U);
    // No two are further apart than a 24th of this window, so time counts as it is.
    std::int64_t apart = 0;
    for (std::size_t i = 1; i < keyed.size(); ++i) {
        apart = std::max(apart, keyed[i].at.ms - keyed[i - 1].at.ms);
    }
    const std::chrono::milliseconds window(24 * apart);
    const auto inside = std::count_if(keyed.begin(), keyed.end(), [&](const Event& event) {
        return keyed.back().at.ms - event.at.ms <= window.count();
    });
    EXPECT_LT(inside, 100);
    EXPECT_EQ(all_of(this->ledger_->keyed_events(window, 100)).size(),
              static_cast<std::size_t>(inside));
}

TYPED_TEST_P(LedgerContract, KeyedEventsAreFoundBehindLongRunsWithoutKeys) {
    const base::BoardId board = this->board_with_players(1);
    for (std::uint64_t round = 1; round <= 4; ++round) {
        this->engine_.submit(board, "p0", {{1}}, base::Hash128{7, round});
        for (int i = 0; i < 100; ++i) this->engine_.submit(board, "p0", {{i}}, base::Hash128{});
        ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
        this->reopen();
        this->engine_.submit(board, "p0", {{1}}, base::Hash128{});
        ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
        const auto keyed = all_of(this->ledger_->keyed_events(std::chrono::hours(24), 100));
        ASSERT_EQ(keyed.size(), round);
        EXPECT_EQ(keyed.back().key, (base::Hash128{7, round}));
    }
}

TYPED_TEST_P(LedgerContract, AStreamKeepsOneRow) {
    StreamRecord stream{.key = {1, 2},
                        .lines = 10,
                        .running_hash = 11,
                        .accepted = 9,
                        .rejected = 1,
                        .seq = {0},
                        .at = {5},
                        .complete = false};
    EXPECT_FALSE(this->ledger_->stream(stream.key).value());
    this->engine_.put_stream(stream);
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    stream.lines = 20;
    stream.complete = true;
    this->engine_.put_stream(stream);
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    this->reopen();
    EXPECT_EQ(this->ledger_->stream(stream.key).value(), stream);
}

TYPED_TEST_P(LedgerContract, ABoardKeepsItsWholeConfiguration) {
    ranking::Rules rules;
    rules.rule = ranking::Rule::kSum;
    rules.ties = ranking::Ties::kEarliest;
    rules.columns = {{"points", ranking::Order::kDescending, 0},
                     {"time", ranking::Order::kAscending, 3}};
    this->engine_.create_board("league", rules);
    BoardRecord board = this->engine_.batch().boards.front();
    board.config.title = "Liga \"Nord\"; DROP TABLE board";
    board.config.visibility = Visibility::kPrivate;
    board.config.public_meta = true;
    board.config.limits[1] = {.min = {}, .max = 5};
    board.closed = true;
    board.revision = 7;
    ASSERT_TRUE(this->ledger_->begin({}));
    Batch batch = this->engine_.batch();
    batch.boards = {&board, 1};
    ASSERT_TRUE(this->ledger_->append(batch));
    ASSERT_EQ(this->ledger_->commit().outcome, CommitOutcome::kCommitted);
    this->reopen();
    ASSERT_EQ(this->ledger_->boards().value().size(), 1U);
    EXPECT_EQ(this->ledger_->boards().value()[0], board);
}

TYPED_TEST_P(LedgerContract, AResetBoardHasNoneOfItsOldRows) {
    const base::BoardId board = this->board_with_players(20);
    this->fold_everything();
    this->engine_.reset_board(board);
    this->engine_.submit(board, "p1", {{5}});
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    EXPECT_EQ(all_of(this->ledger_->players()).size(), 1U);
    this->reopen();
    this->engine_.check_against(*this->ledger_);
    this->upkeep();
    this->engine_.check_against(*this->ledger_);
    this->reopen();
    EXPECT_EQ(all_of(this->ledger_->players()).size(), 1U);
    EXPECT_EQ(all_of(this->ledger_->entries()).size(), 0U);
    this->engine_.check_against(*this->ledger_);
}

TYPED_TEST_P(LedgerContract, IdsOfADeletedBoardAreNeverGivenAgain) {
    const base::BoardId board = this->board_with_players(3);
    this->fold_everything();
    this->engine_.delete_board(board);
    // The slug is free at once, in the same batch.
    const base::BoardId again = this->engine_.create_board("speedrun", ranking::Rules());
    // A board that comes and goes within one batch counts too.
    this->engine_.delete_board(this->engine_.create_board("brief", ranking::Rules()));
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    this->engine_.delete_board(again);
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    this->upkeep();
    this->reopen();
    EXPECT_EQ(this->ledger_->state().next_board.value, 4U);
    EXPECT_EQ(this->ledger_->state().next_ranking.value, 4U);
    this->engine_.check_against(*this->ledger_);
}

TYPED_TEST_P(LedgerContract, ADroppedTombstoneLeavesTheBoardsSeqWhereItWas) {
    const base::BoardId board = this->board_with_players(3);
    this->engine_.remove(board, {2});
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    const base::Sequence seq = this->engine_.state().boards.at(board).seq;
    this->fold_everything();  // writes the tombstone and moves the fold mark
    EXPECT_EQ(all_of(this->ledger_->entries()).size(), 3U);
    this->fold_everything();  // drops it
    EXPECT_EQ(all_of(this->ledger_->entries()).size(), 2U);
    EXPECT_EQ(all_of(this->ledger_->players()).size(), 2U);
    this->reopen();
    this->engine_.check_against(*this->ledger_);
    EXPECT_EQ(TinyEngine::rebuild(*this->ledger_).boards.at(board).seq, seq);
    // The slot is given again, to somebody else.
    this->engine_.submit(board, "newcomer", {{1}});
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    this->reopen();
    this->engine_.check_against(*this->ledger_);
}

TYPED_TEST_P(LedgerContract, ReplayAfterAnyRestartGivesTheStateThatWasAcknowledged) {
    const std::uint64_t seed = test_seed();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    std::cerr << "STANDINGS_SEED=" << seed << '\n';
    TinyEngine engine(seed);
    for (int step = 0; step < 400; ++step) {
        engine.random_batch(1 + engine.pick(8));
        const std::uint64_t end = engine.pick(20);
        if (end == 0) {
            // The process dies with the batch half done.
            ASSERT_TRUE(this->ledger_->begin({}));
            ASSERT_TRUE(this->ledger_->append(engine.batch()));
            this->reopen();
            engine.restart(*this->ledger_);
            continue;
        }
        if (end == 1) {
            ASSERT_TRUE(this->ledger_->begin({}));
            ASSERT_TRUE(this->ledger_->append(engine.batch()));
            this->ledger_->roll_back();
            engine.abandon();
            continue;
        }
        ASSERT_EQ(engine.commit(*this->ledger_), CommitOutcome::kCommitted);
        if (end == 2) {
            this->reopen();
            engine.restart(*this->ledger_);
        }
        if (engine.pick(5) == 0) this->upkeep();
    }
    engine.check_against(*this->ledger_);
}

// A copy that runs while batches commit holds what was there when it was pinned; a ledger without a
// file says so, and goes on.
TYPED_TEST_P(LedgerContract, ACopyHoldsTheMomentOfItsPin) {
    // Large enough that it is not copied in one step.
    const base::BoardId board = this->board_with_players(6000);
    const std::string path =
        (std::filesystem::temp_directory_path() / ("standings-copy-" + std::to_string(::getpid())))
            .string();
    const auto remove = [&path] {
        for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
    };
    // Twice: from a WAL that is wholly in the database file, and from one that is not, because a
    // reader needs the older pages.
    for (const bool reader_in_the_way : {false, true}) {
        remove();
        std::unique_ptr<LedgerReader> reader = this->ledger_->open_reader().value();
        ASSERT_TRUE(!reader_in_the_way || reader->begin_snapshot());
        for (int i = 0; i < 50; ++i) {
            this->engine_.submit(board, "before" + std::to_string(i), {{i}});
            this->engine_.plan_write_back(20);
            ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
        }
        base::Sequence held;
        auto copy = this->ledger_->start_backup(path);
        if (!copy) {
            EXPECT_EQ(copy.error().code, base::ErrorCode::kNotImplemented);
            EXPECT_FALSE(this->ledger_->seal_backup(path, {}));
            continue;
        }
        EXPECT_FALSE(this->ledger_->start_backup(path + "2")) << "one at a time";
        int steps = 0;
        for (bool complete = false; !complete; ++steps) {
            // Pages change, new ones come, and the checkpoints move what they may.
            this->engine_.submit(board, "p" + std::to_string(steps * 3), {{100'000 + steps}});
            this->engine_.submit(board, "new" + std::to_string(steps), {{steps}});
            this->engine_.plan_write_back(500);
            ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
            this->upkeep();
            const auto progress = (*copy)->step();
            ASSERT_TRUE(progress) << progress.error().detail;
            EXPECT_LE(progress->done_bytes, progress->total_bytes);
            complete = progress->complete;
            if (!progress->wants_pin) continue;
            EXPECT_EQ(held, base::Sequence{}) << "pinned once";
            held = this->ledger_->state().last_seq;
            ASSERT_TRUE((*copy)->pin());
            if (reader_in_the_way) reader->end_snapshot();
        }
        EXPECT_GE(steps, 2);
        copy->reset();
        const auto facts = this->ledger_->seal_backup(path, {});
        ASSERT_TRUE(facts) << facts.error().detail;
        EXPECT_EQ(facts->seq, held);
        EXPECT_EQ(facts->epoch, this->ledger_->state().epoch);
        EXPECT_EQ(facts->boards, 1U);
        EXPECT_FALSE(std::filesystem::exists(path + "-wal"));
    }
    remove();
    this->reopen();
    this->engine_.check_against(*this->ledger_);
}

TYPED_TEST_P(LedgerContract, ACopyThatIsGivenUpHarmsNothing) {
    const base::BoardId board = this->board_with_players(500);
    const std::string path =
        (std::filesystem::temp_directory_path() / ("standings-copy-" + std::to_string(::getpid())))
            .string();
    std::filesystem::remove(path);
    {
        auto copy = this->ledger_->start_backup(path);
        if (copy) {
            ASSERT_TRUE((*copy)->step());
        }
    }
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
    this->engine_.submit(board, "p1", {{77}});
    ASSERT_EQ(this->engine_.commit(*this->ledger_), CommitOutcome::kCommitted);
    this->reopen();
    this->engine_.check_against(*this->ledger_);
}

REGISTER_TYPED_TEST_SUITE_P(
    LedgerContract, StartsEmpty, KeepsItsIdentityOverARestart, GivesBackEventsInOrderAsTheyWere,
    GivesBackABatchWithAllItsPartsAfterARestart, ARolledBackBatchLeavesNothing,
    ABatchThatWasNotCommittedIsGoneAfterARestart, AReaderSeesCommittedRowsOnly,
    AReaderGoesThroughARankingInOrder, AReaderKnowsWhoHasASlotAndWhatWasUndone,
    AReaderGivesUpWhenItsTimeIsOver, ASnapshotStandsStillWhileTheWriterGoesOn,
    DetailsChangeOneByOneAndAnEmptyTextRemoves, KeyedEventsAreTheLastOnesInsideTheWindow,
    KeyedEventsEndWhereTheWindowDoes, KeyedEventsAreFoundBehindLongRunsWithoutKeys,
    AStreamKeepsOneRow, ABoardKeepsItsWholeConfiguration, AResetBoardHasNoneOfItsOldRows,
    IdsOfADeletedBoardAreNeverGivenAgain, ADroppedTombstoneLeavesTheBoardsSeqWhereItWas,
    ReplayAfterAnyRestartGivesTheStateThatWasAcknowledged, ACopyHoldsTheMomentOfItsPin,
    ACopyThatIsGivenUpHarmsNothing);

}  // namespace standings::ledger
