// What tests of the engine share: a clock in the hand, a desk where finished operations arrive, and
// ledgers that can be started again, also from what a crash would leave.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "engine/engine.h"
#include "engine/queries.h"
#include "ledger/faulty_ledger.h"
#include "ledger/memory/memory_ledger.h"
#include "ledger/sqlite/sqlite_ledger.h"

namespace standings::engine {

// Stands still until it is moved, or set by somebody. Any thread.
class HandClock final : public base::Clock {
  public:
    base::Instant now() const override { return {kStart.ms + ms_.load() + set_ahead_ms_.load()}; }
    base::Monotonic monotonic() const override { return std::chrono::milliseconds(ms_.load()); }
    void move(std::chrono::milliseconds by) { ms_ += by.count(); }
    // The wall clock alone.
    void set_ahead(std::chrono::milliseconds by) { set_ahead_ms_ += by.count(); }

    static constexpr base::Instant kStart{1'790'000'000'000};

  private:
    std::atomic<std::int64_t> ms_{0};
    std::atomic<std::int64_t> set_ahead_ms_{0};
};

// Waits for what another thread does; the time is a bound for a broken build, not a measure.
inline void wait_until(const std::function<bool()>& reached,
                       const std::function<std::string()>& state = {}) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!reached()) {
        if (std::chrono::steady_clock::now() >= give_up && state) std::cerr << state() << '\n';
        CHECK(std::chrono::steady_clock::now() < give_up);
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
}

// Where finished operations arrive, in groups as they were delivered. Any thread.
class Desk final : public Mailbox {
  public:
    using Group = std::vector<std::unique_ptr<Operation>>;

    void deliver(Group finished) override {
        const std::lock_guard hold(mutex_);
        count_ += finished.size();
        groups_.push_back(std::move(finished));
        arrived_.notify_all();
    }
    // Waits for `count` operations and takes all groups.
    std::vector<Group> take(std::size_t count) {
        std::unique_lock hold(mutex_);
        CHECK(arrived_.wait_for(hold, std::chrono::seconds(60), [&] { return count_ >= count; }));
        CHECK(count_ == count);
        count_ = 0;
        return std::exchange(groups_, {});
    }
    std::size_t count() const {
        const std::lock_guard hold(mutex_);
        return count_;
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<Group> groups_;
    std::size_t count_ = 0;
};

class Entries final : public EntryOperation {
  public:
    Entries(Mailbox& home, std::shared_ptr<HostedBoard> hosted)
        : EntryOperation(home, std::move(hosted)), columns_version_(board().columns_version()) {}
    void finished() override {}

    Entries& add(ledger::EventKind kind, std::string_view player, ranking::Scores scores = {}) {
        return add_to(board(), columns_version_, kind, player, scores);
    }
    // Of another board than the first.
    Entries& submit_to(const std::shared_ptr<HostedBoard>& other, std::string_view player,
                       std::int64_t score) {
        return add_to(*keep(other), other->columns_version(), ledger::EventKind::kSubmit, player,
                      {{score}});
    }
    Entries& add_to(HostedBoard& to, std::uint32_t columns_version, ledger::EventKind kind,
                    std::string_view player, ranking::Scores scores) {
        EntryChange change;
        change.board = &to;
        change.columns_version = columns_version;
        change.kind = kind;
        change.player = keep(player);
        change.scores = scores;
        changes.push_back(change);
        return *this;
    }
    Entries& submit(std::string_view player, std::int64_t score) {
        return add(ledger::EventKind::kSubmit, player, {{score}});
    }
    Entries& remove(std::string_view player) { return add(ledger::EventKind::kRemove, player); }
    // Of the change added last; an empty one removes it.
    Entries& name(std::string_view text) {
        changes.back().name = keep(text);
        return *this;
    }
    Entries& meta(std::string_view text) {
        changes.back().meta = keep(text);
        return *this;
    }
    Entries& occurred_at(base::Instant at) {
        changes.back().occurred_at = at;
        return *this;
    }
    Entries& with_key(std::uint64_t key_number, std::uint64_t fingerprint) {
        key = RequestKey{{7, key_number}, fingerprint};
        return *this;
    }

  private:
    const std::uint32_t columns_version_;
};

class BoardStep final : public BoardOperation {
  public:
    using BoardOperation::BoardOperation;
    void finished() override {}
};

class StreamStep final : public StreamOperation {
  public:
    using StreamOperation::StreamOperation;
    void finished() override {}
};

// Holds the committer inside a delivery, so that what is submitted meanwhile waits together.
class Plug final : public Mailbox {
  public:
    explicit Plug(Engine& engine) {
        auto step = std::make_unique<StreamStep>(*this);
        step->step = StreamOperation::Step::kRelease;  // of a key that nobody has
        std::unique_ptr<Operation> operation = std::move(step);
        CHECK(engine.submit(operation));
        std::unique_lock hold(mutex_);
        changed_.wait(hold, [this] { return inside_; });
    }
    ~Plug() override { pull(); }
    Plug(const Plug&) = delete;
    Plug& operator=(const Plug&) = delete;

    // Lets the committer go on.
    void pull() {
        std::unique_lock hold(mutex_);
        pulled_ = true;
        changed_.notify_all();
        changed_.wait(hold, [this] { return !inside_; });
    }
    void deliver(Desk::Group) override {
        std::unique_lock hold(mutex_);
        inside_ = true;
        changed_.notify_all();
        changed_.wait(hold, [this] { return pulled_; });
        inside_ = false;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool inside_ = false;
    bool pulled_ = false;
};

// --- ledgers ---------------------------------------------------------------------------------

class MemorySubject {
  public:
    std::unique_ptr<ledger::Ledger> open() { return ledger::MemoryLedger::open(store_); }

    // What a crash at this moment would leave. Nothing may write meanwhile.
    MemorySubject crashed() const {
        MemorySubject copy;
        const std::scoped_lock lock(store_->mutex);
        copy.store_->state = store_->state;
        copy.store_->events = store_->events;
        copy.store_->players = store_->players;
        copy.store_->entries = store_->entries;
        copy.store_->boards = store_->boards;
        copy.store_->streams = store_->streams;
        return copy;
    }

  private:
    std::shared_ptr<ledger::MemoryStore> store_ = ledger::MemoryLedger::open()->store();
};

// A data folder that is removed with its owner.
class SqliteSubject {
  public:
    SqliteSubject() {
        std::string name = (std::filesystem::temp_directory_path() / "standings-XXXXXX").string();
        CHECK(mkdtemp(name.data()) != nullptr);
        folder_ = name;
    }
    ~SqliteSubject() {
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }
    SqliteSubject(SqliteSubject&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
    SqliteSubject& operator=(SqliteSubject&& other) noexcept {
        std::swap(folder_, other.folder_);
        return *this;
    }

    std::unique_ptr<ledger::Ledger> open() {
        auto ledger = ledger::SqliteLedger::open(
            {.folder = folder_, .reserve_bytes = 1 << 16, .checkpoint_pages = 20});
        if (!ledger) ADD_FAILURE() << ledger.error().detail;
        return *std::move(ledger);
    }
    SqliteSubject crashed() const {
        SqliteSubject copy;
        std::filesystem::copy(folder_, copy.folder_);
        return copy;
    }

  private:
    std::filesystem::path folder_;
};

using Subjects = ::testing::Types<MemorySubject, SqliteSubject>;

// Everything is written back at the first chance.
inline Engine::Options eager() {
    Engine::Options options;
    options.load.write_back = {.dirty = 0, .unfolded = 0};
    return options;
}

// An engine on a ledger that can be told to fail and be started again. Owner and thread: the test.
template <class Subject>
class Rig {
  public:
    explicit Rig(Engine::Options options = {}) : options_(std::move(options)) { start(); }
    ~Rig() { engine_.reset(); }
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    Engine& engine() { return *engine_; }
    HandClock& clock() { return clock_; }
    Desk& desk() { return desk_; }
    // Touch it only while the committer is plugged or at rest.
    ledger::FaultyLedger& ledger() { return *ledger_; }

    void stop_and_start() {
        engine_->stop();
        engine_.reset();
        start();
    }
    // Goes on with what a crash at this moment leaves.
    void crash_and_start() {
        std::optional<Subject> left;
        {
            const Plug plug(*engine_);
            left.emplace(subject_.crashed());
            ledger_->fail_begin(base::Error{base::ErrorCode::kIo, "crashed"});
        }
        engine_.reset();
        subject_ = *std::move(left);
        start();
    }

    std::shared_ptr<HostedBoard> board(std::string_view slug = "a") {
        return engine_->registry().find(slug);
    }
    std::unique_ptr<Entries> entries(std::string_view slug = "a") {
        return std::make_unique<Entries>(desk_, board(slug));
    }
    void push(std::unique_ptr<Operation> operation,
              EntryOperation::Lane lane = EntryOperation::Lane::kSingle) {
        CHECK(engine_->submit(operation, lane));
    }
    // Runs one operation to its end.
    template <class Kind>
    std::unique_ptr<Kind> run(std::unique_ptr<Kind> operation) {
        push(std::move(operation));
        auto groups = desk_.take(1);
        return std::unique_ptr<Kind>(static_cast<Kind*>(groups[0][0].release()));
    }
    std::unique_ptr<Entries> submit(std::string_view player, std::int64_t score,
                                    std::string_view slug = "a") {
        auto operation = entries(slug);
        operation->submit(player, score);
        return run(std::move(operation));
    }
    // The same request each time that it is asked for with this key.
    std::unique_ptr<Entries> submit_keyed(std::uint64_t key) {
        auto operation = entries();
        operation->submit("ann", 1).with_key(key, 5);
        return run(std::move(operation));
    }
    std::unique_ptr<BoardStep> step_board(ledger::EventKind kind, std::string_view slug = "a",
                                          const ledger::BoardConfig& config = {}) {
        auto step = std::make_unique<BoardStep>(desk_);
        step->kind = kind;
        step->slug = slug;
        step->config = config;
        return run(std::move(step));
    }
    std::unique_ptr<BoardStep> create(std::string_view slug = "a",
                                      const ranking::Rules& rules = {}) {
        ledger::BoardConfig config;
        config.rules = rules;
        auto made = step_board(ledger::EventKind::kBoardCreated, slug, config);
        CHECK(!made->error);
        return made;
    }
    std::unique_ptr<StreamStep> step_stream(StreamOperation::Step step, base::Hash128 key) {
        auto operation = std::make_unique<StreamStep>(desk_);
        operation->step = step;
        operation->key = key;
        return run(std::move(operation));
    }

    // Waits until everything is written back and no tombstone is left.
    void rest() {
        const Statistics& statistics = engine_->statistics();
        wait_until(
            [&] {
                // A refused write is tried again each second of this clock.
                if (statistics.health == WriteHealth::kNoSpace)
                    clock_.move(std::chrono::seconds(1));
                if (statistics.dirty_entries != 0) return false;
                bool dropped = true;
                engine_->registry().for_each([&](HostedBoard& board) {
                    board.read([&](const HostedBoard::View& view) {
                        dropped &= view.board.player_count() == view.board.size();
                    });
                });
                return dropped;
            },
            [&] {
                return "health " + std::to_string(static_cast<int>(statistics.health.load())) +
                       ", dirty entries " + std::to_string(statistics.dirty_entries) +
                       ", fold mark " + std::to_string(statistics.fold_mark) + " of " +
                       std::to_string(engine_->applied_seq().value);
            });
    }

    // The name and meta of a row, from the cache or from the disk.
    ledger::Details details(base::RankingId ranking, base::PlayerSlot slot,
                            std::string_view player) {
        if (const auto cached = engine_->details().find({ranking, slot}, player)) {
            return cached->details;
        }
        class Read final : public DetailsOperation {
          public:
            using DetailsOperation::DetailsOperation;
            void finished() override {}
        };
        auto read = std::make_unique<Read>(desk_, engine_->details());
        read->keys = {{ranking, slot}};
        read->players = {std::string(player)};
        std::unique_ptr<ReadOperation> operation = std::move(read);
        CHECK(engine_->read(operation));
        const auto groups = desk_.take(1);
        const auto& done = static_cast<const DetailsOperation&>(*groups[0][0]);
        CHECK(!done.error);
        return done.details[0]->details;
    }
    std::optional<std::string> name_of(std::string_view player, std::string_view slug = "a") {
        Page page;
        const auto at = read_standing(*board(slug), player, 0, page);
        CHECK(at);
        if (!page.rows[*at].has_details) return std::nullopt;
        return details(page.ranking, page.rows[*at].slot, player).name;
    }
    // "ann 1 90, bob 2 80": players with rank and first score, in order.
    std::string table(std::string_view slug = "a") {
        Page page;
        read_offset(*board(slug), 0, 1000, page);
        std::string text;
        for (std::size_t i = 0; i < page.rows.size(); ++i) {
            if (i > 0) text += ", ";
            text += std::string(page.player(i)) + ' ' +
                    std::to_string(page.rows[i].place.rank.value) + ' ' +
                    std::to_string(page.rows[i].scores.units[0]);
        }
        return text;
    }

  private:
    void start() {
        auto ledger = std::make_unique<ledger::FaultyLedger>(subject_.open());
        ledger_ = ledger.get();
        auto engine = Engine::start(std::move(ledger), clock_, options_);
        if (!engine) ADD_FAILURE() << engine.error().detail;
        engine_ = *std::move(engine);
    }

    const Engine::Options options_;
    Subject subject_;
    HandClock clock_;
    Desk desk_;
    ledger::FaultyLedger* ledger_ = nullptr;
    std::unique_ptr<Engine> engine_;
};

}  // namespace standings::engine
