// The engine against the obvious slow version of it: random operations, failures, clean and unclean
// ends. STANDINGS_SEED repeats one run, STANDINGS_TEST_SCALE does more of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine_harness.h"
#include "engine/engine_model.h"
#include "engine/take_back.h"

namespace standings::engine {
namespace {

using base::ErrorCode;
using ledger::CommitOutcome;
using ledger::EventKind;
using Lane = EntryOperation::Lane;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// A failed CHECK aborts; this line is all that a person needs to see it again.
volatile std::uint64_t running_seed = 0;
void say_seed(int) {
    std::fprintf(stderr, "To repeat: STANDINGS_SEED=%llu engine_test\n",
                 static_cast<unsigned long long>(running_seed));
}

// An operation with what the model has to know of it.
class RandomEntries : public EntryOperation {
  public:
    RandomEntries(Mailbox& home, std::shared_ptr<HostedBoard> hosted, int in_model)
        : EntryOperation(home, std::move(hosted)),
          board_id(in_model),
          columns_version(board().columns_version()) {}
    void finished() override {}
    const int board_id;
    const std::uint32_t columns_version;
};

class RandomTakeBack final : public RandomEntries {
  public:
    RandomTakeBack(Mailbox& home, std::shared_ptr<HostedBoard> hosted, int in_model,
                   TakeBackPlan plan)
        : RandomEntries(home, std::move(hosted), in_model), plan_(std::move(plan)) {
        EntryChange change;
        change.board = &board();
        change.kind = EventKind::kTakenBack;
        change.player = plan_.player;
        change.take_back = &plan_.planned;
        changes.push_back(change);
    }

  private:
    const TakeBackPlan plan_;
};

Engine::Options options_for(std::mt19937_64& random) {
    Engine::Options options;
    const std::uint64_t dirty = random() % 3 == 0 ? 90 : 2;
    options.load.write_back = {.dirty = dirty, .unfolded = 30 + random() % 300};
    options.details_cache_bytes = random() % 2 == 0 ? 8 * 1024 : 1 << 20;
    return options;
}

template <class Subject>
class RandomRun {
  public:
    explicit RandomRun(std::uint64_t seed) : random_(seed), rig_(options_for(random_)) {}

    void go(int rounds) {
        for (int i = 0; i < rounds && !::testing::Test::HasFailure(); ++i) {
            round();
            const std::uint64_t dice = pick(100);
            if (dice < 8) restart();
            if (dice >= 90) compare();
            if (dice == 50) rest();
        }
        if (::testing::Test::HasFailure()) return;
        recover();
        compare();
        rig_.crash_and_start();
        model_.restarted();
        compare();
        rig_.stop_and_start();
        compare();
    }

  private:
    enum class Disk { kFine, kRefuses, kUnknown };

    std::uint64_t pick(std::uint64_t below) { return random_() % below; }
    bool once_in(std::uint64_t times) { return pick(times) == 0; }

    // --- making operations ----------------------------------------------------------------------

    ranking::Rules some_rules() {
        ranking::Rules rules;
        rules.rule = static_cast<ranking::Rule>(pick(4));
        rules.ties = static_cast<ranking::Ties>(pick(2));
        rules.columns.resize(once_in(3) ? 1 + pick(4) : 1);
        for (std::size_t i = 0; i < rules.columns.size(); ++i) {
            rules.columns[i].name = "c" + std::to_string(i);
            rules.columns[i].order = static_cast<ranking::Order>(pick(2));
        }
        return rules;
    }
    ledger::BoardConfig some_config() {
        ledger::BoardConfig config;
        config.rules = some_rules();
        config.title = once_in(2) ? "Title" : "";
        if (once_in(4)) config.limits[0].max = 40;
        return config;
    }
    std::string some_slug() { return std::string(1, static_cast<char>('a' + pick(4))); }
    std::string some_player() { return "player-" + std::to_string(pick(once_in(2) ? 15 : 150)); }
    base::Instant some_time() {
        return {rig_.clock().now().ms - static_cast<std::int64_t>(pick(50))};
    }

    void add_change(RandomEntries& operation) {
        EntryChange change;
        change.board = &operation.board();
        change.columns_version = operation.columns_version;
        const std::uint64_t dice = pick(12);
        change.kind = dice < 2   ? EventKind::kRemove
                      : dice < 4 ? EventKind::kSet
                                 : EventKind::kSubmit;
        change.player = operation.keep(some_player());
        if (change.kind != EventKind::kRemove) {
            const std::size_t columns = operation.board().record().config.rules.columns.size();
            for (std::size_t i = 0; i < columns; ++i) {
                change.scores.units[i] = static_cast<std::int64_t>(pick(60)) - 10;
                if (once_in(80)) change.scores.units[i] = ranking::kMaxUnits;
            }
            if (once_in(3)) change.occurred_at = some_time();
            if (once_in(4)) {
                change.name = operation.keep(once_in(3) ? "" : "Name " + std::to_string(pick(9)));
            }
            if (once_in(8)) change.meta = operation.keep(once_in(3) ? "" : "{\"m\":1}");
        }
        operation.changes.push_back(change);
    }

    // As a worker does for a DELETE: planned from what is durable, done among what comes meanwhile.
    void push_take_back() {
        const auto hosted = rig_.board(some_slug());
        if (!hosted) return push_board_step();
        const int id = model_.find(hosted->slug());
        TakeBackTarget target = some_player();
        const ModelBoard& board = model_.boards.at(id);
        if (once_in(2)) target = some_submission(board);
        auto reader = rig_.ledger().open_reader().value();
        auto plan = plan_take_back(*reader, *hosted, rig_.clock(), target);
        judge_plan(board, target, plan);
        if (!plan || plan->count == 0) return push_entries();
        auto operation = std::make_unique<RandomTakeBack>(rig_.desk(), hosted, id, *plan);
        push(std::move(operation), Lane::kSingle);
    }

    base::Sequence some_submission(const ModelBoard& board) {
        std::vector<base::Sequence> all = {{1 + pick(model_.last_seq.value + 1)}};
        for (const auto& [id, player] : board.players) {
            if (once_in(4)) continue;
            for (const ModelEvent& event : player.events) all.push_back(event.seq);
        }
        return all[pick(all.size())];
    }

    // What can be taken back is what the model knows, and no more.
    void judge_plan(const ModelBoard& board, const TakeBackTarget& target,
                    const base::Result<TakeBackPlan>& plan) {
        const auto* player_meant = std::get_if<std::string>(&target);
        const auto found = player_meant ? board.players.find(*player_meant) : board.players.end();
        const bool has_base = found != board.players.end() && found->second.base &&
                              found->second.base->submissions > 0;
        if (has_base) {
            ASSERT_FALSE(plan);
            ASSERT_EQ(plan.error().code, ErrorCode::kHistoryTrimmed);
            return;
        }
        std::size_t count = 0;
        bool overflows = false;
        for (const auto& [id, known] : board.players) {
            ModelPlayer player = known;
            std::size_t own = 0;
            for (ModelEvent& event : player.events) {
                if (event.set || event.taken_back) continue;
                const auto* seq = std::get_if<base::Sequence>(&target);
                const bool meant =
                    seq != nullptr ? *seq == event.seq : std::get<std::string>(target) == id;
                if (!meant) continue;
                event.taken_back = true;
                ++own;
            }
            count += own;
            if (own > 0) overflows = !player.can_run_again(board.config.rules);
        }
        if (overflows) {
            ASSERT_FALSE(plan);
            ASSERT_EQ(plan.error().code, ErrorCode::kScoreOverflow);
            return;
        }
        if (!plan) {
            ASSERT_EQ(count, 0U) << plan.error().detail;
            ASSERT_TRUE(plan.error().code == ErrorCode::kHistoryTrimmed ||
                        plan.error().code == ErrorCode::kSubmissionNotFound);
            return;
        }
        ASSERT_EQ(plan->count, count);
    }

    RequestKey some_key() {
        // Few enough to be met again, with the same request and with another one.
        const std::uint64_t number = 1 + (once_in(2) ? pick(20) : pick(100'000));
        return {{11, number}, number * 3 + (once_in(6) ? 1 : 0)};
    }

    void push_entries() {
        auto hosted = rig_.board(some_slug());
        int id = -1;
        if (hosted) {
            id = model_.find(hosted->slug());
            if (once_in(4)) held_ = {hosted, id};
        } else {
            // As a request does that found the board before it was deleted.
            hosted = held_.first;
            id = held_.second;
        }
        if (!hosted) return push_board_step();
        auto operation = std::make_unique<RandomEntries>(rig_.desk(), hosted, id);
        const std::uint64_t dice = pick(10);
        const std::size_t size = dice < 6 ? 1 : dice < 9 ? 1 + pick(6) : 1 + pick(80);
        auto lane = Lane::kSingle;
        if (once_in(4)) {
            operation->atomic = false;
            lane = Lane::kBulk;
        }
        for (std::size_t i = 0; i < size; ++i) add_change(*operation);
        const bool keyed = operation->atomic && once_in(2) &&
                           std::none_of(operation->changes.begin(), operation->changes.end(),
                                        [](const EntryChange& change) {
                                            return change.kind == EventKind::kRemove;
                                        });
        if (keyed) {
            operation->key = some_key();
            // The size of a request is part of what its fingerprint stands for.
            operation->key->fingerprint = operation->key->fingerprint * 1000 + size;
        }
        if (!operation->atomic && !model_.open_streams.empty()) {
            const base::Hash128 key = *model_.open_streams.begin();
            const auto known = model_.streams.find(key);
            const std::uint64_t so_far = known == model_.streams.end() ? 0 : known->second.lines;
            operation->stream = StreamProgress{.key = key,
                                               .lines_before = so_far + (once_in(8) ? 1 : 0),
                                               .lines = 1 + pick(1000),
                                               .running_hash = random_(),
                                               .rejected_by_reader = pick(3),
                                               .complete = once_in(4)};
        }
        push(std::move(operation), lane);
    }

    void push_board_step() {
        static constexpr EventKind kKinds[] = {EventKind::kBoardCreated,  EventKind::kBoardCreated,
                                               EventKind::kBoardCreated,  EventKind::kBoardChanged,
                                               EventKind::kBoardChanged,  EventKind::kBoardReopened,
                                               EventKind::kBoardReopened, EventKind::kBoardClosed,
                                               EventKind::kBoardReset,    EventKind::kBoardDeleted};
        auto step = std::make_unique<BoardStep>(rig_.desk());
        step->slug = some_slug();
        step->kind = kKinds[pick(std::size(kKinds))];
        step->config = some_config();
        const auto board = rig_.board(step->slug);
        if (step->kind == EventKind::kBoardChanged && board && !once_in(3)) {
            step->config.rules.columns = board->record().config.rules.columns;
        }
        if (once_in(3)) {
            step->key = some_key();
            step->key->fingerprint += 1'000'000'000'000;
        }
        push(std::move(step), Lane::kSingle);
    }

    void push_stream_step() {
        auto step = std::make_unique<StreamStep>(rig_.desk());
        step->key = {13, 1 + pick(2)};
        step->step = model_.open_streams.contains(step->key) && !once_in(4)
                         ? StreamOperation::Step::kRelease
                         : StreamOperation::Step::kOpen;
        push(std::move(step), Lane::kSingle);
    }

    void push(std::unique_ptr<Operation> operation, Lane lane) {
        rig_.push(std::move(operation), lane);
        ++pushed_;
    }

    // --- running and judging --------------------------------------------------------------------

    void round() {
        pushed_ = 0;
        {
            const Plug plug(rig_.engine());
            rig_.clock().move(std::chrono::milliseconds(once_in(10) ? 1000 : pick(5)));
            if (once_in(15)) {
                const bool rolls_back = !once_in(3);
                kept_ = once_in(2);
                rig_.ledger().fail_commit(
                    1 + pick(2), rolls_back ? CommitOutcome::kRolledBack : CommitOutcome::kUnknown,
                    kept_);
            }
            // A step of a stream alone: pieces are sent by whoever has opened it.
            if (once_in(8)) {
                push_stream_step();
            } else {
                for (std::uint64_t left = 1 + pick(6); left > 0; --left) {
                    if (once_in(12) || model_.boards.empty()) {
                        push_board_step();
                    } else if (once_in(4)) {
                        push_take_back();
                    } else {
                        push_entries();
                    }
                }
            }
        }
        disk_ = Disk::kFine;
        for (const auto& group : rig_.desk().take(pushed_)) {
            // What memory said after an unknown outcome holds for this run of the engine only.
            if (disk_ != Disk::kUnknown) judge(group);
        }
        if (disk_ != Disk::kFine) recover();
    }

    void judge(const Desk::Group& group) {
        EngineModel next = model_;
        next.begin_group();
        bool refused = false;
        bool unknown = false;
        for (const auto& operation : group) {
            const Foretold foretold = foretell(next, *operation);
            const auto error = error_of(*operation);
            const bool by_disk = error && (error->code == ErrorCode::kReadOnly ||
                                           error->code == ErrorCode::kOutcomeUnknown);
            refused |= by_disk;
            unknown |= by_disk && error->code == ErrorCode::kOutcomeUnknown;
            if (!by_disk) expect(*operation, foretold);
        }
        if (!refused || (unknown && kept_)) {
            model_ = std::move(next);
        }
        if (refused) disk_ = unknown ? Disk::kUnknown : Disk::kRefuses;
    }

    Foretold foretell(EngineModel& model, Operation& operation) {
        const base::Instant now = rig_.clock().now();
        if (auto* entries = dynamic_cast<RandomEntries*>(&operation)) {
            return model.run(*entries, entries->board_id, now);
        }
        if (auto* step = dynamic_cast<BoardOperation*>(&operation)) {
            return model.run(*step, now, next_board_++);
        }
        return model.run(static_cast<StreamOperation&>(operation));
    }

    static std::optional<base::Error> error_of(Operation& operation) {
        if (auto* entries = dynamic_cast<EntryOperation*>(&operation)) return entries->error;
        if (auto* step = dynamic_cast<BoardOperation*>(&operation)) return step->error;
        return static_cast<StreamOperation&>(operation).error;
    }

    void expect(Operation& operation, const Foretold& foretold) {
        const auto error = error_of(operation);
        ASSERT_EQ(error.has_value(), foretold.error.has_value())
            << (error ? error->detail : "foretold an error ")
            << (foretold.error ? static_cast<int>(*foretold.error) : 0);
        if (error) {
            ASSERT_EQ(error->code, *foretold.error) << error->detail;
            return;
        }
        if (auto* entries = dynamic_cast<EntryOperation*>(&operation)) {
            ASSERT_EQ(entries->replayed, foretold.replayed);
            ASSERT_EQ(entries->outcomes.size(), foretold.outcomes.size());
            for (std::size_t i = 0; i < entries->outcomes.size(); ++i) {
                expect(entries->outcomes[i], foretold.outcomes[i]);
            }
            ASSERT_EQ(entries->stream_after, foretold.stream_after);
        } else if (auto* step = dynamic_cast<BoardOperation*>(&operation)) {
            ASSERT_EQ(step->replayed, foretold.replayed);
            ASSERT_EQ(step->seq, foretold.seq)
                << step->slug << " kind " << static_cast<int>(step->kind) << " replayed "
                << step->replayed << " emits " << foretold.emits;
        } else {
            auto& stream = static_cast<StreamOperation&>(operation);
            if (stream.step == StreamOperation::Step::kRelease) return;
            const auto known = model_.streams.find(stream.key);
            ASSERT_EQ(stream.record.has_value(), known != model_.streams.end());
            if (!stream.record) return;
            ASSERT_EQ(*stream.record, known->second);
        }
    }

    static void expect(const ChangeOutcome& outcome, const ChangeOutcome& foretold) {
        ASSERT_EQ(outcome.stale, foretold.stale);
        ASSERT_EQ(outcome.error.has_value(), foretold.error.has_value());
        if (outcome.error) {
            ASSERT_EQ(outcome.error->code, foretold.error->code);
            return;
        }
        ASSERT_EQ(outcome.outcome, foretold.outcome);
        ASSERT_EQ(outcome.seq, foretold.seq);
        ASSERT_EQ(outcome.had_entry, foretold.had_entry);
        ASSERT_EQ(outcome.previous, foretold.previous);
    }

    // Until writing works again.
    void recover() {
        if (rig_.engine().statistics().health.load() == WriteHealth::kUnknown) restart();
        rig_.clock().move(std::chrono::seconds(1));
    }

    // Lets everything be written back and dropped.
    void rest() {
        {
            const Plug plug(rig_.engine());
            rig_.ledger().fail_commit(1, CommitOutcome::kCommitted);
        }
        recover();
        rig_.rest();
    }

    void restart() {
        if (::testing::Test::HasFailure()) return;
        // After an unknown outcome the ledger's end is as good as a crash.
        if (once_in(2)) {
            rig_.stop_and_start();
        } else {
            rig_.crash_and_start();
        }
        model_.restarted();
        held_ = {};
        compare();
    }

    // --- comparing ------------------------------------------------------------------------------

    void compare() {
        ASSERT_EQ(rig_.engine().registry().size(), model_.boards.size());
        ASSERT_EQ(rig_.engine().applied_seq(), model_.last_seq);
        for (const auto& [id, board] : model_.boards) compare(board);
    }

    void compare(const ModelBoard& expected) {
        SCOPED_TRACE("board " + expected.slug);
        const auto hosted = rig_.board(expected.slug);
        ASSERT_TRUE(hosted);
        const ledger::BoardRecord record = hosted->record();
        ASSERT_EQ(record.config, expected.config);
        ASSERT_EQ(record.closed, expected.closed);
        ASSERT_EQ(record.revision, expected.revision);
        ASSERT_EQ(record.seq, expected.seq);
        ASSERT_EQ(record.created_at, expected.created_at);
        ASSERT_EQ(record.updated_at, expected.updated_at);

        Page page;
        read_offset(*hosted, 0, 10'000, page);
        const auto order = expected.order();
        ASSERT_EQ(page.rows.size(), order.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            const auto& [player, rank] = order[i];
            SCOPED_TRACE(player);
            const ModelPlayer& state = expected.players.at(player);
            ASSERT_EQ(page.player(i), player);
            ASSERT_EQ(page.rows[i].place.rank, rank);
            ASSERT_EQ(page.rows[i].has_details, state.entry.has_details);
            const auto entry = hosted->read(
                [&](const HostedBoard::View& view) { return view.board.entry(page.rows[i].slot); });
            ASSERT_EQ(entry->scores, state.entry.scores);
            ASSERT_EQ(entry->reached_seq, state.entry.reached_seq);
            ASSERT_EQ(entry->last_seq, state.entry.last_seq);
            ASSERT_EQ(entry->reached_at, state.entry.reached_at);
            ASSERT_EQ(entry->occurred_at, state.entry.occurred_at);
            ASSERT_EQ(entry->submissions, state.entry.submissions);
            if (!state.entry.has_details) continue;
            ASSERT_EQ(rig_.details(page.ranking, page.rows[i].slot, player), state.details);
        }
        hosted->read([](const HostedBoard::View& view) { view.board.check(); });
    }

    std::mt19937_64 random_;
    Rig<Subject> rig_;
    EngineModel model_;
    std::pair<std::shared_ptr<HostedBoard>, int> held_;
    int next_board_ = 1;
    std::size_t pushed_ = 0;
    Disk disk_ = Disk::kFine;
    bool kept_ = false;
};

template <class Subject>
class EngineProperty : public ::testing::Test {
  protected:
    // Runs `test(seed)` a few times, or for STANDINGS_SEED alone.
    template <class Test>
    static void each_seed(std::uint64_t runs, Test test) {
        const bool given = std::getenv("STANDINGS_SEED") != nullptr;
        const std::uint64_t first =
            given ? number_from("STANDINGS_SEED", 0) : std::random_device{}() * std::uint64_t{1000};
        runs = given ? 1 : runs * number_from("STANDINGS_TEST_SCALE", 1);
        const auto before = std::signal(SIGABRT, say_seed);
        for (std::uint64_t i = 0; i < runs && !HasFailure(); ++i) {
            running_seed = first + i;
            const std::string repeat =
                "To repeat: STANDINGS_SEED=" + std::to_string(first + i) + " engine_test";
            SCOPED_TRACE(repeat);
            test(first + i);
        }
        std::signal(SIGABRT, before);
    }
};
TYPED_TEST_SUITE(EngineProperty, Subjects);

TYPED_TEST(EngineProperty, AgreesWithTheModelThroughFailuresAndRestarts) {
    this->each_seed(3, [](std::uint64_t seed) { RandomRun<TypeParam>(seed).go(250); });
}

// Several threads write while others read: what was acknowledged, told to the model in the order
// of the deliveries, gives the same tables, running and started anew.
TYPED_TEST(EngineProperty, AgreesWithTheModelWhenManyWriteAtOnce) {
    this->each_seed(1, [](std::uint64_t seed) {
        Engine::Options options;
        options.load.write_back = {.dirty = 2, .unfolded = 100};
        Rig<TypeParam> rig(options);
        EngineModel model;
        for (const char* slug : {"a", "b"}) {
            ranking::Rules rules;
            rules.rule = slug[0] == 'a' ? ranking::Rule::kSum : ranking::Rule::kBest;
            model.begin_group();
            model.run(*rig.create(slug, rules), rig.clock().now(), slug[0]);
        }
        constexpr int kWriters = 3;
        constexpr int kEach = 150;
        std::vector<std::thread> threads;
        for (int writer = 0; writer < kWriters; ++writer) {
            threads.emplace_back([&rig, seed, writer] {
                std::mt19937_64 random(seed + static_cast<std::uint64_t>(writer));
                for (int i = 0; i < kEach; ++i) {
                    const char slug = random() % 2 == 0 ? 'a' : 'b';
                    auto operation = std::make_unique<RandomEntries>(
                        rig.desk(), rig.board(std::string(1, slug)), slug);
                    for (std::uint64_t left = 1 + random() % 3; left > 0; --left) {
                        EntryChange change;
                        change.board = &operation->board();
                        change.columns_version = operation->columns_version;
                        if (random() % 6 == 0) change.kind = EventKind::kRemove;
                        change.player = operation->keep("p" + std::to_string(random() % 12));
                        change.scores.units[0] = static_cast<std::int64_t>(random() % 100);
                        if (random() % 4 == 0) change.name = operation->keep("n");
                        operation->changes.push_back(change);
                    }
                    rig.push(std::move(operation));
                }
            });
        }
        std::atomic<bool> done{false};
        std::thread reader([&] {
            Page page;
            base::Sequence before{};
            while (!done) {
                read_offset(*rig.board("a"), 0, 100, page);
                ASSERT_GE(page.seq, before) << "a board's seq never goes back";
                before = page.seq;
                for (std::size_t i = 1; i < page.rows.size(); ++i) {
                    ASSERT_GE(page.rows[i - 1].scores.units[0], page.rows[i].scores.units[0]);
                }
            }
        });
        for (auto& thread : threads) thread.join();
        for (const auto& group : rig.desk().take(kWriters * kEach)) {
            model.begin_group();
            for (const auto& operation : group) {
                auto& entries = static_cast<RandomEntries&>(*operation);
                const Foretold foretold = model.run(entries, entries.board_id, rig.clock().now());
                ASSERT_FALSE(entries.error);
                for (std::size_t i = 0; i < entries.outcomes.size(); ++i) {
                    ASSERT_EQ(entries.outcomes[i].seq, foretold.outcomes[i].seq);
                    ASSERT_EQ(entries.outcomes[i].outcome, foretold.outcomes[i].outcome);
                }
            }
        }
        done = true;
        reader.join();
        for (int start = 0; start < 3; ++start) {
            for (const auto& [id, board] : model.boards) {
                std::string expected;
                for (const auto& [player, rank] : board.order()) {
                    if (!expected.empty()) expected += ", ";
                    expected += player + ' ' + std::to_string(rank.value) + ' ' +
                                std::to_string(board.players.at(player).entry.scores.units[0]);
                }
                ASSERT_EQ(rig.table(board.slug), expected);
                ASSERT_EQ(rig.board(board.slug)->seq(), board.seq);
            }
            if (start == 0) rig.crash_and_start();
            if (start == 1) rig.stop_and_start();
        }
    });
}

}  // namespace
}  // namespace standings::engine
