#include "ledger/memory/memory_ledger.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "ledger/event_age.h"
#include "ledger/rows.h"

namespace standings::ledger {
namespace {

using base::Result;
using base::Sequence;

// Rows copied out while the lock was held.
template <class Row>
class CopyCursor final : public Cursor<Row> {
  public:
    explicit CopyCursor(std::vector<Row> rows) : rows_(std::move(rows)) {}

    Result<bool> next(Row& row) override {
        if (at_ == rows_.size()) return false;
        row = rows_[at_++];
        return true;
    }

  private:
    std::vector<Row> rows_;
    std::size_t at_ = 0;
};

template <class Row>
std::unique_ptr<Cursor<Row>> cursor_over(std::vector<Row> rows) {
    return std::make_unique<CopyCursor<Row>>(std::move(rows));
}

template <class Row>
std::vector<Row> values(const std::map<EntryKey, Row>& rows) {
    std::vector<Row> out;
    out.reserve(rows.size());
    for (const auto& [key, row] : rows) out.push_back(row);
    return out;
}

template <class Row>
std::vector<Row> values_of(const std::map<EntryKey, Row>& rows, base::RankingId ranking) {
    std::vector<Row> out;
    const auto end = rows.upper_bound(EntryKey{ranking, base::kNoSlot});
    for (auto row = rows.lower_bound(EntryKey{ranking, {0}}); row != end; ++row) {
        out.push_back(row->second);
    }
    return out;
}

std::optional<Event> find_event(const MemoryStore& store, Sequence seq) {
    if (store.events.empty() || seq < store.events.front().seq) return std::nullopt;
    const std::uint64_t at = seq.value - store.events.front().seq.value;
    if (at >= store.events.size()) return std::nullopt;
    return store.events[at];
}

Details find_details(const MemoryStore& store, EntryKey key) {
    const auto found = store.players.find(key);
    return found == store.players.end() ? Details{} : found->second.details;
}

class MemoryReader final : public LedgerReader {
  public:
    explicit MemoryReader(std::shared_ptr<MemoryStore> store) : store_(std::move(store)) {}

    Result<std::vector<PlayerRecord>> details(std::span<const EntryKey> keys) override {
        const std::scoped_lock lock(store_->mutex);
        std::vector<PlayerRecord> all;
        all.reserve(keys.size());
        for (const EntryKey& key : keys) {
            const auto found = store_->players.find(key);
            all.push_back(found == store_->players.end() ? PlayerRecord{} : found->second);
        }
        return all;
    }

    Result<std::optional<Event>> event(Sequence seq) override {
        if (deadline_.passed()) return too_late();
        const std::scoped_lock lock(store_->mutex);
        return find_event(*store_, seq);
    }

    void set_deadline(Deadline deadline) override { deadline_ = deadline; }

    Result<RankingEvents> ranking_events(base::RankingId ranking, Sequence after,
                                         std::size_t most) override {
        const std::scoped_lock lock(store_->mutex);
        RankingEvents found;
        found.looked_to = std::max(after, store_->state.last_seq);
        found.at_end = true;
        for (auto event = events_after(after); event != store_->events.end(); ++event) {
            if (event->ranking != ranking || !is_entry_event(event->kind)) continue;
            found.events.push_back(*event);
            if (found.events.size() < most) continue;
            found.looked_to = event->seq;
            found.at_end = event->seq == store_->state.last_seq;
            break;
        }
        return found;
    }

    Result<std::vector<Event>> undoings(std::span<const EntryKey> keys, Sequence after) override {
        const std::set<EntryKey> wanted(keys.begin(), keys.end());
        const std::scoped_lock lock(store_->mutex);
        std::vector<Event> all;
        for (auto event = events_after(after); event != store_->events.end(); ++event) {
            const bool undoing =
                event->kind == EventKind::kRemove || event->kind == EventKind::kTakenBack;
            if (undoing && wanted.contains({event->ranking, event->slot})) all.push_back(*event);
        }
        return all;
    }

    // A copy of all that there is: a ledger in memory is for small data.
    Result<SnapshotState> begin_snapshot() override {
        const std::scoped_lock lock(store_->mutex);
        copy_.emplace(Copy{store_->boards, store_->players, store_->entries, store_->events});
        return SnapshotState{store_->state.last_seq, store_->state.fold_mark};
    }
    void end_snapshot() override { copy_.reset(); }

    Result<std::optional<BoardRecord>> board(base::BoardId id) override {
        CHECK(copy_);
        const auto found = copy_->boards.find(id);
        if (found == copy_->boards.end()) return std::optional<BoardRecord>();
        return std::optional(found->second);
    }
    Result<std::unique_ptr<Cursor<PlayerRecord>>> players(base::RankingId ranking) override {
        CHECK(copy_);
        return cursor_over(values_of(copy_->players, ranking));
    }
    Result<std::unique_ptr<Cursor<EntryRecord>>> entries(base::RankingId ranking) override {
        CHECK(copy_);
        return cursor_over(values_of(copy_->entries, ranking));
    }
    Result<std::unique_ptr<Cursor<Event>>> events(base::RankingId ranking,
                                                  Sequence after) override {
        CHECK(copy_);
        std::vector<Event> rows;
        for (const Event& event : copy_->events) {
            if (event.ranking == ranking && event.seq > after) rows.push_back(event);
        }
        return cursor_over(std::move(rows));
    }

  private:
    std::deque<Event>::const_iterator events_after(Sequence seq) const {
        return std::upper_bound(store_->events.begin(), store_->events.end(), seq,
                                [](Sequence a, const Event& event) { return a < event.seq; });
    }

    struct Copy {
        std::map<base::BoardId, BoardRecord> boards;
        std::map<EntryKey, PlayerRecord> players;
        std::map<EntryKey, EntryRecord> entries;
        std::deque<Event> events;
    };

    std::shared_ptr<MemoryStore> store_;
    std::optional<Copy> copy_;
    Deadline deadline_;
};

template <class Row>
std::vector<Row> copy(std::span<const Row> rows) {
    return {rows.begin(), rows.end()};
}

void merge(std::optional<std::string>& into, std::optional<std::string>& change) {
    if (!change) return;
    if (change->empty()) {
        into.reset();
    } else {
        into = std::move(change);
    }
}

}  // namespace

MemoryLedger::MemoryLedger(std::shared_ptr<MemoryStore> store, const MemoryOptions& options)
    : store_(std::move(store)), most_events_(options.events) {
    const std::scoped_lock lock(store_->mutex);
    state_ = store_->state;
}

std::unique_ptr<MemoryLedger> MemoryLedger::open(const MemoryOptions& options) {
    base::SystemRandom system;
    base::Random& random = options.random != nullptr ? *options.random : system;
    auto store = std::make_shared<MemoryStore>();
    store->state.epoch = "m" + std::to_string(random.next() % 1'000'000'000);
    store->state.next_board = {1};
    store->state.next_ranking = {1};
    store->state.hash_seed = random.next();
    return open(std::move(store), options);
}

std::unique_ptr<MemoryLedger> MemoryLedger::open(std::shared_ptr<MemoryStore> store,
                                                 const MemoryOptions& options) {
    return std::unique_ptr<MemoryLedger>(new MemoryLedger(std::move(store), options));
}

Result<std::vector<BoardRecord>> MemoryLedger::boards() {
    const std::scoped_lock lock(store_->mutex);
    std::vector<BoardRecord> all;
    for (const auto& [id, board] : store_->boards) all.push_back(board);
    return all;
}

Result<std::unique_ptr<Cursor<PlayerRecord>>> MemoryLedger::players() {
    const std::scoped_lock lock(store_->mutex);
    return cursor_over(values(store_->players));
}

Result<std::unique_ptr<Cursor<EntryRecord>>> MemoryLedger::entries() {
    const std::scoped_lock lock(store_->mutex);
    return cursor_over(values(store_->entries));
}

Result<std::unique_ptr<Cursor<Event>>> MemoryLedger::events(Sequence after) {
    const std::scoped_lock lock(store_->mutex);
    std::vector<Event> rows;
    for (const Event& event : store_->events) {
        if (event.seq > after) rows.push_back(event);
    }
    return cursor_over(std::move(rows));
}

Result<std::unique_ptr<Cursor<Event>>> MemoryLedger::keyed_events(std::chrono::milliseconds window,
                                                                  std::uint64_t most) {
    const std::scoped_lock lock(store_->mutex);
    std::vector<Event> rows;
    EventAge age(window);
    for (auto it = store_->events.rbegin(); it != store_->events.rend() && rows.size() < most;
         ++it) {
        if (age.back_to(it->at) > window) break;
        if (!it->key) continue;
        Event& row = rows.emplace_back();
        row.seq = it->seq;
        row.key = it->key;
        row.at = it->at;
    }
    std::reverse(rows.begin(), rows.end());
    return cursor_over(std::move(rows));
}

Result<void> MemoryLedger::begin(std::span<const base::BoardId>) {
    CHECK(!in_transaction_);
    in_transaction_ = true;
    appended_.clear();
    appended_seq_ = state_.last_seq;
    return {};
}

Result<Sequence> MemoryLedger::catch_up(EventSink&) {
    return state_.last_seq;
}

Result<void> MemoryLedger::append(const Batch& batch) {
    CHECK(in_transaction_);
    for (const Event& event : batch.events) {
        CHECK(event.seq.value == appended_seq_.value + 1);
        appended_seq_ = event.seq;
    }
    CHECK(!batch.fold_mark || *batch.fold_mark <= appended_seq_);
    appended_.push_back({.events = copy(batch.events),
                         .new_players = copy(batch.new_players),
                         .details = copy(batch.details),
                         .boards = copy(batch.boards),
                         .deleted_boards = copy(batch.deleted_boards),
                         .streams = copy(batch.streams),
                         .write_back = copy(batch.write_back),
                         .dropped = copy(batch.dropped),
                         .fold_mark = batch.fold_mark});
    return {};
}

Committed MemoryLedger::commit() {
    CHECK(in_transaction_);
    in_transaction_ = false;
    const std::scoped_lock lock(store_->mutex);
    for (Copy& batch : appended_) apply(batch);
    appended_.clear();
    state_ = store_->state;
    while (store_->events.size() > most_events_ &&
           store_->events.front().seq < store_->state.fold_mark) {
        store_->events.pop_front();
    }
    return {};
}

void MemoryLedger::roll_back() {
    in_transaction_ = false;
    appended_.clear();
}

void MemoryLedger::apply(Copy& batch) {
    MemoryStore& store = *store_;
    LedgerState& state = store.state;
    // Ids that were used once are not given again.
    const auto give_ids = [&](base::BoardId board, base::RankingId ranking) {
        state.next_board = std::max(state.next_board, base::BoardId{board.value + 1});
        state.next_ranking = std::max(state.next_ranking, base::RankingId{ranking.value + 1});
    };
    for (const EntryKey& key : batch.dropped) drop(key);
    for (const Event& event : batch.events) {
        store.events.push_back(canonical(event));
        state.last_seq = event.seq;
        give_ids(event.board, event.ranking);
    }
    for (PlayerRecord& player : batch.new_players) {
        store.players.insert_or_assign(player.key, std::move(player));
    }
    for (PlayerRecord& change : batch.details) {
        PlayerRecord& player = store.players.at(change.key);
        merge(player.details.name, change.details.name);
        merge(player.details.meta, change.details.meta);
    }
    for (const EntryRecord& entry : batch.write_back) {
        store.entries.insert_or_assign(entry.key, canonical(entry));
    }
    for (const base::BoardId id : batch.deleted_boards) {
        const auto found = store.boards.find(id);
        if (found == store.boards.end()) continue;
        forget_ranking(found->second.ranking);
        store.boards.erase(found);
    }
    for (BoardRecord& board : batch.boards) {
        give_ids(board.id, board.ranking);
        const auto found = store.boards.find(board.id);
        if (found != store.boards.end() && found->second.ranking != board.ranking) {
            forget_ranking(found->second.ranking);
        }
        store.boards.insert_or_assign(board.id, std::move(board));
    }
    for (const StreamRecord& stream : batch.streams) {
        store.streams.insert_or_assign(stream.key, stream);
    }
    if (batch.fold_mark) state.fold_mark = *batch.fold_mark;
}

void MemoryLedger::drop(const EntryKey& key) {
    const auto entry = store_->entries.find(key);
    if (entry != store_->entries.end()) {
        for (auto& [id, board] : store_->boards) {
            if (board.ranking != key.ranking) continue;
            board.seq = std::max(board.seq, entry->second.entry.last_seq);
        }
        store_->entries.erase(entry);
    }
    store_->players.erase(key);
}

void MemoryLedger::forget_ranking(base::RankingId ranking) {
    const auto erase = [&](auto& rows) {
        const auto from = rows.lower_bound(EntryKey{ranking, {0}});
        rows.erase(from, rows.upper_bound(EntryKey{ranking, base::kNoSlot}));
    };
    erase(store_->players);
    erase(store_->entries);
}

Result<std::optional<Event>> MemoryLedger::event(Sequence seq) {
    const std::scoped_lock lock(store_->mutex);
    return find_event(*store_, seq);
}

Result<Details> MemoryLedger::details(EntryKey key) {
    const std::scoped_lock lock(store_->mutex);
    return find_details(*store_, key);
}

Result<std::optional<StreamRecord>> MemoryLedger::stream(base::Hash128 key) {
    const std::scoped_lock lock(store_->mutex);
    const auto found = store_->streams.find(key);
    if (found == store_->streams.end()) return std::optional<StreamRecord>();
    return std::optional(found->second);
}

Result<bool> MemoryLedger::maintain(base::Instant now, base::Sequence /*first_remembered*/) {
    constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;
    constexpr std::size_t kManyStreams = 10'000;
    const std::scoped_lock lock(store_->mutex);
    if (store_->streams.size() < kManyStreams) return false;
    std::erase_if(store_->streams,
                  [&](const auto& stream) { return stream.second.at.ms < now.ms - kDayMs; });
    return false;
}

LedgerSizes MemoryLedger::sizes() {
    const std::scoped_lock lock(store_->mutex);
    return {.database_bytes = 0, .wal_bytes = 0, .events = store_->events.size()};
}

namespace {
base::Error nothing_to_copy() {
    return {base::ErrorCode::kNotImplemented,
            "This server keeps everything in memory: there is no database to back up."};
}
}  // namespace

Result<std::unique_ptr<LedgerCopy>> MemoryLedger::start_backup(const std::string&) {
    return nothing_to_copy();
}

Result<BackupFacts> MemoryLedger::seal_backup(const std::string&, const std::function<bool()>&) {
    return nothing_to_copy();
}

Result<std::unique_ptr<LedgerReader>> MemoryLedger::open_reader() {
    return std::unique_ptr<LedgerReader>(std::make_unique<MemoryReader>(store_));
}

}  // namespace standings::ledger
