// The hot operations, each a fixed number of times, for callgrind to count: instructions repeat
// where time does not. Each measured function is one operation; tools/instruction_gate.py counts
// what runs between its beginning and its end, and divides by the count that this program prints.
//
//   ./dev instructions
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "api/standings_json.h"
#include "api/submission_json.h"
#include "base/check.h"
#include "engine/batch.h"
#include "engine/queries.h"
#include "ledger/memory/memory_ledger.h"
#include "text/json_document.h"

namespace standings {
namespace {

constexpr std::uint32_t kPlayers = 50'000;
constexpr std::size_t kBatch = 64;
constexpr base::Instant kNow{1'790'000'000'000};

std::string id_of(std::uint32_t player) {
    const std::string digits = std::to_string(player);
    return "player-" + std::string(13 - digits.size(), '0') + digits;  // 20 characters
}

class NoMailbox final : public engine::Mailbox {
  public:
    void deliver(std::vector<std::unique_ptr<engine::Operation>>) override {}
};

class Submission final : public engine::EntryOperation {
  public:
    using EntryOperation::EntryOperation;
    void finished() override {}
};

// A board of kPlayers on a ledger in memory, and what an event loop keeps. One thread: what the
// committer's would do is done in between.
class World {
  public:
    World() {
        ledger::BoardRecord record;
        record.id = {1};
        record.ranking = {1};
        record.slug = "speedrun";
        record.created_at = record.updated_at = kNow;
        record.seq = {1};
        ledger::Event made;
        made.seq = {1};
        made.board = record.id;
        made.ranking = record.ranking;
        made.kind = ledger::EventKind::kBoardCreated;
        made.at = kNow;
        write({.events = {&made, 1}, .boards = {&record, 1}});
        board_ = std::make_shared<engine::HostedBoard>(record, 5);
        board_->write([&](ledger::BoardRecord&, ranking::Board& rows) {
            for (std::uint32_t player = 0; player < kPlayers; ++player) {
                ranking::Entry entry;
                entry.scores.units[0] = any_score();
                entry.reached_seq = entry.last_seq = {1};
                entry.reached_at = kNow;
                entry.submissions = 1;
                rows.put(rows.add_player(id_of(player)), entry);
            }
        });
    }

    std::int64_t any_score() { return static_cast<std::int64_t>(random_() % 1'000'000'000); }
    std::string any_player() { return id_of(static_cast<std::uint32_t>(random_() % kPlayers)); }
    std::string any_submission() {
        return R"({"player":")" + any_player() + R"(","score":)" + std::to_string(any_score()) +
               '}';
    }

    engine::EntryChange read(const std::string& body, Submission& operation) {
        const auto root = document_.parse(body);
        CHECK(root);
        const auto config = board_->read([](const auto& view) { return view.config; });
        auto change = api::read_submission(document_, **root, {*config, kNow}, operation);
        CHECK(change);
        change->board = board_.get();
        change->columns_version = board_->columns_version();
        return *change;
    }

    // From the bodies of requests to the bodies of answers, as one transaction.
    void submit(const std::vector<std::string>& bodies) {
        std::vector<std::unique_ptr<Submission>> operations;
        for (const std::string& body : bodies) {
            auto operation = std::make_unique<Submission>(home_, board_);
            operation->changes.push_back(read(body, *operation));
            operation->key = engine::RequestKey{{7, ++keys_}, keys_};
            operations.push_back(std::move(operation));
        }
        batch_.start(last_seq_, kNow);
        for (auto& operation : operations) batch_.evaluate(*operation);
        write(batch_.rows());
        board_->write([&](ledger::BoardRecord& record, ranking::Board& rows) {
            for (const auto& change : batch_.changes()) {
                rows.put(change.slot, *change.after);
                record.seq = change.seq;
            }
        });
        for (auto& operation : operations) {
            CHECK(!operation->error);
            const auto& outcome = operation->outcomes[0];
            const auto player = operation->changes[0].player;
            const auto reading = engine::read_receipt(*board_, player, outcome);
            body_.clear();
            api::append_receipt(body_, outcome, reading, player, nullptr, "k1");
        }
    }

    void parse(const std::string& body) {
        Submission operation(home_, board_);
        static_cast<void>(read(body, operation));
    }
    void standing(const std::string& player) {
        const auto at = engine::read_standing(*board_, player, 0, page_);
        CHECK(at);
        body_ = "{";
        api::append_position(body_, board_->slug(), "k1", page_.seq, page_.total);
        body_ += ',';
        api::append_row(body_, *page_.config, page_.rows[*at], page_.player(*at), nullptr);
    }
    void top() {
        engine::read_offset(*board_, 0, 10, page_);
        render();
    }
    void around(const std::string& player) {
        CHECK(engine::read_around(*board_, player, 11, page_));
        render();
    }
    void fill_page() {
        engine::read_offset(*board_, 0, 100, page_);
        page_.details.assign(page_.rows.size(), nullptr);
    }
    void render() {
        page_.details.assign(page_.rows.size(), nullptr);
        body_.clear();
        api::append_page(body_, board_->slug(), "k1", page_, true, false);
        CHECK(!body_.empty());
    }

  private:
    void write(const ledger::Batch& rows) {
        const std::array boards = {base::BoardId{1}};
        CHECK(ledger_->begin(boards));
        CHECK(ledger_->append(rows));
        CHECK(ledger_->commit().outcome == ledger::CommitOutcome::kCommitted);
        last_seq_ = ledger_->state().last_seq;
    }

    std::mt19937_64 random_{42};
    NoMailbox home_;
    std::unique_ptr<ledger::Ledger> ledger_ = ledger::MemoryLedger::open();
    std::shared_ptr<engine::HostedBoard> board_;
    engine::IdempotencyIndex index_{1000, std::chrono::hours(24)};
    engine::DetailsCache cache_{1 << 20};
    engine::ActiveStreams streams_;
    engine::Batch batch_{*ledger_, index_, cache_, streams_};
    base::Sequence last_seq_;
    std::uint64_t keys_ = 0;
    text::JsonDocument document_;
    engine::Page page_;
    std::string body_;
};

}  // namespace
}  // namespace standings

using standings::World;
using Texts = std::vector<std::string>;

// Called from outside the compiler's view, so that each stays a function of its own.
extern "C" {
[[gnu::noinline, gnu::noclone]] void measured_submit(World& world, const std::vector<Texts>& all) {
    for (const Texts& batch : all) world.submit(batch);
}
[[gnu::noinline, gnu::noclone]] void measured_standing(World& world, const Texts& players) {
    for (const std::string& player : players) world.standing(player);
}
[[gnu::noinline, gnu::noclone]] void measured_top(World& world, std::size_t times) {
    for (; times > 0; --times) world.top();
}
[[gnu::noinline, gnu::noclone]] void measured_around(World& world, const Texts& players) {
    for (const std::string& player : players) world.around(player);
}
[[gnu::noinline, gnu::noclone]] void measured_json_in(World& world, const Texts& bodies) {
    for (const std::string& body : bodies) world.parse(body);
}
[[gnu::noinline, gnu::noclone]] void measured_json_out(World& world, std::size_t times) {
    for (; times > 0; --times) world.render();
}
}

int main() {
    constexpr std::size_t kTimes = 1024;
    World world;
    Texts players;
    Texts bodies;
    for (std::size_t i = 0; i < kTimes; ++i) {
        players.push_back(world.any_player());
        bodies.push_back(world.any_submission());
    }
    std::vector<Texts> batches(kTimes / standings::kBatch);
    for (Texts& batch : batches) {
        while (batch.size() < standings::kBatch) batch.push_back(world.any_submission());
    }
    // Buffers grow and functions are bound before anything is counted.
    world.submit(batches[0]);
    world.standing(players[0]);
    world.around(players[0]);
    world.parse(bodies[0]);
    world.fill_page();
    world.render();

    measured_submit(world, batches);
    measured_standing(world, players);
    measured_top(world, kTimes);
    measured_around(world, players);
    measured_json_in(world, bodies);
    world.fill_page();
    measured_json_out(world, kTimes);
    std::printf("%zu\n", kTimes);
    return 0;
}
