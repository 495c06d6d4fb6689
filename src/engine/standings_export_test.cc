#include "engine/standings_export.h"

#include <atomic>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "engine/engine_harness.h"
#include "ledger/tiny_engine.h"

namespace standings::engine {
namespace {

using base::ErrorCode;
using base::Result;
using Rows = std::unique_ptr<StandingsExport>;

// Builds an export on a worker's thread, as the server does.
class Build final : public ReadOperation {
  public:
    Build(Mailbox& home, base::BoardId of, ExportOptions build_options)
        : ReadOperation(home), board(of), options(std::move(build_options)) {}
    void run(ledger::LedgerReader& reader) override {
        built.emplace(StandingsExport::build(reader, board, options));
    }
    void finished() override {}

    const base::BoardId board;
    const ExportOptions options;
    std::optional<Result<Rows>> built;
};

template <class Subject>
Result<Rows> build(Rig<Subject>& rig, base::BoardId board, ExportOptions options = {}) {
    Desk desk;
    std::unique_ptr<ReadOperation> operation =
        std::make_unique<Build>(desk, board, std::move(options));
    CHECK(rig.engine().read_slowly(operation));
    auto groups = desk.take(1);
    return *std::move(static_cast<Build&>(*groups[0][0]).built);
}

// The export of a board at rest, row by row against memory.
template <class Subject>
void expect_same(Rig<Subject>& rig, std::string_view slug) {
    const auto board = rig.board(slug);
    auto rows = build(rig, board->id(), {.with_meta = true});
    ASSERT_TRUE(rows) << rows.error().detail;
    EXPECT_EQ((*rows)->seq(), board->seq());
    Page page;
    read_offset(*board, 0, 1'000'000, page);
    ASSERT_EQ((*rows)->size(), page.rows.size());
    ExportedRow row;
    for (std::size_t i = 0; i < page.rows.size(); ++i) {
        ASSERT_TRUE((*rows)->next(row).value());
        EXPECT_EQ(row.player, page.player(i));
        EXPECT_EQ(row.row.place, page.rows[i].place) << row.player;
        EXPECT_EQ(row.row.scores, page.rows[i].scores) << row.player;
        EXPECT_EQ(row.row.reached_at, page.rows[i].reached_at) << row.player;
        EXPECT_EQ(row.row.has_details, page.rows[i].has_details);
        const auto entry = board->read(
            [&](const HostedBoard::View& view) { return view.board.entry(page.rows[i].slot); });
        EXPECT_EQ(row.submissions, entry->submissions);
        if (!row.row.has_details) continue;
        const auto details = rig.details(page.ranking, page.rows[i].slot, row.player);
        EXPECT_EQ(row.name, details.name);
        EXPECT_EQ(row.meta, details.meta);
    }
    EXPECT_FALSE((*rows)->next(row).value());
}

template <class Subject>
class StandingsExportTest : public ::testing::Test {};
TYPED_TEST_SUITE(StandingsExportTest, Subjects);

TYPED_TEST(StandingsExportTest, LeavesTheDiskItsSpareRoom) {
    Rig<TypeParam> rig;
    rig.create("a");
    for (int i = 0; i < 10; ++i) {
        auto operation = rig.entries();
        for (int n = 0; n < 500; ++n) {
            operation->add(ledger::EventKind::kSubmit, std::to_string(i * 500 + n), {{n}});
        }
        rig.run(std::move(operation));
    }
    std::uint64_t room = 0;
    int looks = 0;
    const ExportOptions options{.expected_rows = 5000,
                                .free_bytes = [&] { return looks++ == 0 ? room : room - 1; }};
    const auto refused = [&] {
        looks = 0;
        const auto built = build(rig, rig.board("a")->id(), options);
        return !built && built.error().code == ErrorCode::kNoSpace;
    };
    // Before it begins.
    room = kSpareDiskBytes + 500'000;
    EXPECT_TRUE(refused());
    EXPECT_EQ(looks, 1);
    room = kSpareDiskBytes + 5'000'000;
    EXPECT_FALSE(refused());
    EXPECT_GT(looks, 1);
    // On the way: the rows are more than was expected.
    const ExportOptions surprised{.expected_rows = 0, .free_bytes = [&] {
                                      return kSpareDiskBytes - (looks++ == 0 ? 0U : 1U);
                                  }};
    looks = 0;
    const auto built = build(rig, rig.board("a")->id(), surprised);
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().code, ErrorCode::kNoSpace);
    EXPECT_EQ(looks, 2);
}

TYPED_TEST(StandingsExportTest, HoldsWhatMemoryHolds) {
    const std::uint64_t seed = ledger::test_seed();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int round = 0; round < 8; ++round) {
        Engine::Options options;
        // Sometimes most of it is in events, sometimes nothing.
        options.load.write_back = {.dirty = random() % 60, .unfolded = random() % 200};
        Rig<TypeParam> rig(options);
        ranking::Rules rules;
        rules.rule = static_cast<ranking::Rule>(random() % 4);
        rules.ties = static_cast<ranking::Ties>(random() % 2);
        rules.columns.resize(1 + random() % 2);
        rules.columns[0].order = static_cast<ranking::Order>(random() % 2);
        if (rules.columns.size() == 2) rules.columns[1].name = "second";
        rig.create("a", rules);
        rig.create("b");
        for (int i = 0; i < 150; ++i) {
            auto operation = rig.entries();
            for (std::uint64_t n = random() % 4 + 1; n > 0; --n) {
                const auto kind = random() % 6 == 0   ? ledger::EventKind::kRemove
                                  : random() % 6 == 0 ? ledger::EventKind::kSet
                                                      : ledger::EventKind::kSubmit;
                operation->add(kind, "p" + std::to_string(random() % 40),
                               {{static_cast<std::int64_t>(random() % 12),
                                 rules.columns.size() == 2 ? std::int64_t{1} : 0}});
                if (random() % 4 == 0) operation->name(std::string(random() % 300 + 1, 'n'));
                if (random() % 9 == 0) operation->meta("{\"a\":1}");
            }
            operation->submit_to(rig.board("b"), "other", i);
            rig.run(std::move(operation));
            if (random() % 60 == 0) rig.step_board(ledger::EventKind::kBoardReset);
            if (random() % 90 == 0) rig.rest();
        }
        expect_same(rig, "a");
        expect_same(rig, "b");
        rig.crash_and_start();
        expect_same(rig, "a");
        rig.rest();
        expect_same(rig, "a");
    }
}

TYPED_TEST(StandingsExportTest, IsOfOneMomentWhileScoresAreWritten) {
    Rig<TypeParam> rig;
    ranking::Rules rules;
    rules.rule = ranking::Rule::kSum;
    rig.create("a", rules);
    std::atomic<bool> stop{false};
    std::thread writer([&rig, &stop] {
        for (int i = 0; !stop; ++i) rig.submit("p" + std::to_string(i % 97), 1);
    });
    // Each event adds one point, and the board was made by the first one.
    for (int i = 0; i < 30; ++i) {
        auto rows = build(rig, rig.board()->id());
        if (!rows) ADD_FAILURE() << rows.error().detail;
        if (!rows) break;
        std::uint64_t sum = 0;
        std::set<std::string, std::less<>> players;
        for (ExportedRow row; (*rows)->next(row).value();) {
            sum += static_cast<std::uint64_t>(row.row.scores.units[0]);
            EXPECT_TRUE(players.emplace(row.player).second);
        }
        EXPECT_EQ(sum, (*rows)->seq().value - 1);
    }
    stop = true;
    writer.join();
}

TYPED_TEST(StandingsExportTest, EndsWhenNobodyWantsIt) {
    Rig<TypeParam> rig;
    rig.create();
    auto many = rig.entries();
    for (int i = 0; i < 10'000; ++i) many->submit("p" + std::to_string(i), i);
    many->atomic = false;
    rig.run(std::move(many));
    const auto given_up = build(rig, rig.board()->id(), {.given_up = [] { return true; }});
    ASSERT_FALSE(given_up);
    EXPECT_EQ(given_up.error().code, ErrorCode::kOverloaded);
    // The reader is whole again.
    EXPECT_EQ(build(rig, rig.board()->id()).value()->size(), 10'000U);
}

TYPED_TEST(StandingsExportTest, RefusesABoardThatIsGoneAndAFolderThatIsNone) {
    Rig<TypeParam> rig;
    rig.create();
    EXPECT_EQ(build(rig, {77}).error().code, ErrorCode::kBoardNotFound);
    EXPECT_EQ(build(rig, rig.board()->id(), {.folder = "/nowhere"}).error().code, ErrorCode::kIo);
    EXPECT_EQ(build(rig, rig.board()->id()).value()->size(), 0U);
}

TYPED_TEST(StandingsExportTest, OneTransactionServesManyBoards) {
    Rig<TypeParam> rig;
    rig.create("a");
    rig.create("b");
    auto both = rig.entries("a");
    both->submit("ann", 1).submit_to(rig.board("b"), "ann", 2).submit("bob", 3);
    both->submit_to(rig.board("b"), "ann", 5);
    const auto done = rig.run(std::move(both));
    ASSERT_FALSE(done->error);
    EXPECT_EQ(done->outcomes[3].previous.units[0], 2);
    EXPECT_EQ(rig.table("a"), "bob 1 3, ann 2 1");
    EXPECT_EQ(rig.table("b"), "ann 1 5");
    EXPECT_EQ(rig.board("a")->seq().value, 5U);
    EXPECT_EQ(rig.board("b")->seq().value, 6U);
    rig.crash_and_start();
    EXPECT_EQ(rig.table("b"), "ann 1 5");
}

}  // namespace
}  // namespace standings::engine
