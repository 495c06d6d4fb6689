#include "engine/committer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace standings::engine {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using ledger::CommitOutcome;
using ledger::EventKind;

// Readers get in between two slices of a batch.
constexpr std::size_t kApplySlice = 32;
// Rows written back per transaction: twice the batch, so that the dirty set shrinks under load.
constexpr std::size_t kWriteBackPerChange = 2;
constexpr std::size_t kIdleWriteBack = 1024;
constexpr std::size_t kTombstonesAtOnce = 1024;
constexpr auto kIdleSoon = std::chrono::milliseconds(20);
constexpr auto kIdleLong = std::chrono::seconds(60);
constexpr auto kFinalWriteBack = std::chrono::seconds(1);
constexpr auto kControlDelay = std::chrono::milliseconds(10);
constexpr auto kSizesEvery = std::chrono::seconds(1);
constexpr auto kRetryAfter = std::chrono::seconds(1);

class NoOtherWriters final : public ledger::EventSink {
  public:
    Result<void> on_event(const ledger::Event&) override {
        return Error{ErrorCode::kIntegrity, "another writer changed the database"};
    }
};

ledger::EntryRecord entry_record(const HostedBoard& board, ledger::EntryKey key) {
    const auto entry = board.committed_board().entry(key.slot);
    ledger::EntryRecord record{.key = key, .removed = !entry};
    record.columns =
        static_cast<std::uint8_t>(board.committed_record().config.rules.columns.size());
    if (entry) {
        record.entry = *entry;
    } else {
        record.entry.last_seq = board.committed_board().last_seq(key.slot);
    }
    return record;
}

bool changes_rule(const HostedBoard& board, const ledger::BoardRecord& to) {
    return board.committed_record().config.rules.rule != to.config.rules.rule;
}

}  // namespace

Committer::Committer(ledger::Ledger& ledger, Registry& registry, DetailsCache& cache,
                     WriteQueue& queue, const base::Clock& clock, CommitListener& listener,
                     Statistics& statistics, CommitterStart start, Options options)
    : ledger_(ledger),
      registry_(registry),
      cache_(cache),
      queue_(queue),
      clock_(clock),
      listener_(listener),
      statistics_(statistics),
      options_(options),
      started_(clock.monotonic()),
      started_at_(clock.now()),
      index_(std::move(start.index)),
      write_back_(std::move(start.write_back)),
      tombstones_(std::move(start.tombstones)),
      players_(start.players),
      next_board_(ledger.state().next_board),
      next_ranking_(ledger.state().next_ranking),
      applied_seq_(ledger.state().last_seq),
      batch_(ledger, index_, cache, active_streams_) {
    statistics_.applied_seq = applied_seq_.value;
    statistics_.players = players_;
    statistics_.dirty_entries = write_back_.dirty();
    statistics_.fold_mark = write_back_.fold_mark().value;
    statistics_.idempotency_keys = index_.size();
}

Committer::~Committer() {
    stop();
}

void Committer::start() {
    thread_ = std::thread([this] { run(); });
}

void Committer::stop() {
    queue_.close();
    if (thread_.joinable()) thread_.join();
}

std::optional<base::Monotonic> Committer::patience() const {
    if (more_upkeep_ || write_back_.dirty() > 0) return kIdleSoon;
    return kIdleLong;
}

void Committer::run() {
    while (!queue_.closed_and_empty()) {
        Operations operations = queue_.take(patience());
        const bool idle = operations.empty();
        if (!idle) process(std::move(operations));
        upkeep(idle);
    }
    // What is not folded in time is in the events; the next start replays them.
    const auto deadline = clock_.monotonic() + kFinalWriteBack;
    while (!unknown_ && !next_try_ && write_back_.dirty() > 0 && clock_.monotonic() < deadline) {
        write_back_slice(kIdleWriteBack);
    }
    static_cast<void>(ledger_.close());
}

void Committer::process(Operations operations) {
    Operations run;
    const auto flush = [&] {
        if (!run.empty()) commit_entries(run);
        run.clear();
    };
    for (auto& operation : operations) {
        if (dynamic_cast<EntryOperation*>(operation.get()) != nullptr) {
            run.push_back(std::move(operation));
            continue;
        }
        flush();
        if (auto* backup = dynamic_cast<BackupOperation*>(operation.get())) {
            attend_backup(*backup);
        } else if (auto* board = dynamic_cast<BoardOperation*>(operation.get())) {
            commit_board(*board);
        } else if (auto* stream = dynamic_cast<StreamOperation*>(operation.get())) {
            step_stream(*stream);
        }
        run.push_back(std::move(operation));
        deliver(run);
        run.clear();
    }
    flush();
}

// --- transactions ---------------------------------------------------------------------------

Result<base::Sequence> Committer::begin(std::span<const base::BoardId> boards) {
    if (unknown_) return Error{ErrorCode::kReadOnly, refusal_};
    if (next_try_ && clock_.monotonic() < *next_try_) return Error{ErrorCode::kReadOnly, refusal_};

    if (const auto begun = ledger_.begin(boards); !begun) {
        // Stopped for good, by a failure outside a batch (a checkpoint, say): nothing is in doubt.
        if (begun.error().code == ErrorCode::kReadOnly) {
            static_cast<void>(refuse(CommitOutcome::kUnknown, begun.error().detail));
            return Error{ErrorCode::kReadOnly, refusal_};
        }
        return refuse(CommitOutcome::kRolledBack, begun.error().detail);
    }
    NoOtherWriters others;
    auto newest = ledger_.catch_up(others);
    if (!newest) {
        ledger_.roll_back();
        return refuse(CommitOutcome::kRolledBack, newest.error().detail);
    }
    return *newest;
}

Error Committer::refuse(CommitOutcome outcome, const std::string& detail) {
    if (outcome == CommitOutcome::kUnknown) {
        if (!unknown_) {
            options_.log->write(base::LogLevel::kError,
                                "writing has stopped, restart the server: the disk failed, and "
                                "whether the last scores are on it is not known",
                                {{"cause", detail}});
        }
        unknown_ = true;
        refusal_ =
            "Writing has stopped since the disk failed during a commit; restart the server. "
            "Reads go on. (" +
            detail + ")";
        statistics_.health = WriteHealth::kUnknown;
        return {ErrorCode::kOutcomeUnknown,
                "The disk failed while this was being made durable. Whether it counts is known "
                "after a restart: send it again with the same Idempotency-Key."};
    }
    if (!next_try_) {
        options_.log->write(base::LogLevel::kError,
                            "nothing can be written now; reads go on, and writing is tried again "
                            "each second",
                            {{"cause", detail}});
    }
    next_try_ = clock_.monotonic() + kRetryAfter;
    refusal_ =
        "Nothing can be written now, and nothing of this request was; it is tried again "
        "each second. Reads go on. (" +
        detail + ")";
    statistics_.health = WriteHealth::kNoSpace;
    ++statistics_.rolled_back;
    return {ErrorCode::kReadOnly, refusal_};
}

Result<void> Committer::finish(const ledger::Batch& rows) {
    const auto started = clock_.monotonic();
    if (const auto appended = ledger_.append(rows); !appended) {
        ledger_.roll_back();
        return refuse(CommitOutcome::kRolledBack, appended.error().detail);
    }
    const ledger::Committed committed = ledger_.commit();
    if (committed.outcome != CommitOutcome::kCommitted) {
        return refuse(committed.outcome, committed.detail);
    }
    statistics_.commit_duration.add(clock_.monotonic() - started);
    ++statistics_.batches;
    statistics_.events += rows.events.size();
    if (next_try_) {
        next_try_.reset();
        statistics_.health = WriteHealth::kOk;
        options_.log->write(base::LogLevel::kWarning, "scores are written again");
    }
    if (!rows.write_back.empty() || rows.fold_mark) {
        statistics_.written_back += rows.write_back.size();
        write_back_.committed(slice_);
        statistics_.fold_mark = write_back_.fold_mark().value;
    }
    return {};
}

void Committer::fail(Operations& run, const Error& error) {
    for (auto& operation : run) {
        if (auto* entries = dynamic_cast<EntryOperation*>(operation.get())) {
            // What was refused for its own sake stays refused; a replayed answer stays true.
            if (entries->error || entries->replayed) continue;
            entries->error = error;
            entries->outcomes.clear();
        }
    }
}

void Committer::deliver(Operations& run) {
    // A handful of loops: a linear search beats a map.
    std::vector<std::pair<Mailbox*, Operations>> by_home;
    for (auto& operation : run) {
        Mailbox* home = &operation->home();
        auto at = std::find_if(by_home.begin(), by_home.end(),
                               [home](const auto& pair) { return pair.first == home; });
        if (at == by_home.end()) at = by_home.emplace(at, home, Operations{});
        at->second.push_back(std::move(operation));
    }
    for (auto& [home, operations] : by_home) home->deliver(std::move(operations));
}

// --- entries --------------------------------------------------------------------------------

void Committer::commit_entries(Operations& run) {
    batch_boards_.clear();
    for (const auto& operation : run) {
        static_cast<EntryOperation&>(*operation).for_each_board([&](const HostedBoard& board) {
            // Once for runs of one board; the sort below sees to the rest.
            if (batch_boards_.empty() || batch_boards_.back() != board.id()) {
                batch_boards_.push_back(board.id());
            }
        });
    }
    std::sort(batch_boards_.begin(), batch_boards_.end());
    batch_boards_.erase(std::unique(batch_boards_.begin(), batch_boards_.end()),
                        batch_boards_.end());
    const auto last_seq = begin(batch_boards_);
    if (!last_seq) {
        fail(run, last_seq.error());
        return deliver(run);
    }

    index_.expire(clock_.monotonic());
    batch_.start(*last_seq, clock_.now());
    for (const auto& operation : run) batch_.evaluate(static_cast<EntryOperation&>(*operation));
    if (batch_.empty()) {
        ledger_.roll_back();
        return deliver(run);
    }

    slice_ = {};
    slice_rows_.clear();
    const auto newest = batch_.last_seq();
    if (write_back_.wanted(newest, players_, false)) {
        plan_write_back(std::max<std::size_t>(kWriteBackPerChange * batch_.events().size(), 64));
    }
    ledger::Batch rows = batch_.rows();
    rows.write_back = slice_rows_;
    rows.fold_mark = slice_.fold_mark;

    if (options_.answer_before_commit) {
        apply(batch_);
        deliver(run);
        // Long enough for the answers to be read on a busy machine, too.
        std::this_thread::sleep_for(kControlDelay);
        CHECK(finish(rows));
        return;
    }
    if (const auto finished = finish(rows); !finished) {
        fail(run, finished.error());
        return deliver(run);
    }
    apply(batch_);
    deliver(run);
    listener_.on_applied(applied_seq_);
}

void Committer::apply(const Batch& batch) {
    for (const auto& fresh : batch.new_details()) cache_.put(fresh.key, fresh.details);
    const auto& changes = batch.changes();
    for (std::size_t at = 0; at < changes.size();) at = apply_slice(changes, at);

    for (const AppliedChange& change : changes) {
        const ledger::EntryKey key{change.board->committed_record().ranking, change.slot};
        write_back_.mark(key);
        if (change.new_player) ++players_;
        if (!change.after) tombstones_.push_back({key, change.seq});
    }
    const base::Monotonic now = clock_.monotonic();
    for (const ledger::Event& event : batch.events()) {
        if (event.key) index_.add(event.key, event.seq, now);
    }
    for (const ledger::StreamRecord& stream : batch.streams()) {
        active_streams_[stream.key] = stream;
    }
    applied_seq_ = batch.last_seq();
    statistics_.applied_seq = applied_seq_.value;
    statistics_.dirty_entries = write_back_.dirty();
    statistics_.idempotency_keys = index_.size();
    statistics_.players = players_;
}

std::size_t Committer::apply_slice(const std::vector<AppliedChange>& changes, std::size_t from) {
    std::size_t to = from + 1;
    HostedBoard* board = changes[from].board;
    while (to < changes.size() && changes[to].board == board &&
           (to - from < kApplySlice || changes[to].continues)) {
        ++to;
    }
    // An atomic operation is seen whole or not at all: the slice does not begin inside one.
    board->write([&](ledger::BoardRecord& record, ranking::Board& rows) {
        for (std::size_t i = from; i < to; ++i) {
            const AppliedChange& change = changes[i];
            if (change.new_player) CHECK(rows.add_player(change.player) == change.slot);
            if (change.after) {
                rows.put(change.slot, *change.after);
            } else {
                rows.remove(change.slot, change.seq);
            }
            record.seq = change.seq;
        }
    });
    return to;
}

// --- boards and streams ---------------------------------------------------------------------

Result<bool> Committer::replay_board(BoardOperation& operation) {
    if (!operation.key) return false;
    index_.expire(clock_.monotonic());
    const auto seq = index_.find(operation.key->hash);
    if (!seq) return false;
    const auto event = ledger_.event(*seq);
    if (!event) return event.error();
    if (!*event || (*event)->fingerprint != operation.key->fingerprint) {
        return Error{ErrorCode::kIdempotencyMismatch,
                     "This Idempotency-Key was used for another request. Use a new key for each "
                     "request, and the same one only to repeat it."};
    }
    operation.board = registry_.find(operation.slug);
    operation.seq = *seq;
    operation.replayed = true;
    if (!operation.board) {
        return Error{ErrorCode::kBoardNotFound,
                     "The board '" + operation.slug + "' was deleted since."};
    }
    return true;
}

Result<void> Committer::plan_board(BoardOperation& operation, ledger::BoardRecord& record,
                                   bool& changed) {
    const base::Instant now = clock_.now();
    const auto board = registry_.find(operation.slug);
    if (operation.kind == EventKind::kBoardCreated) {
        if (board) {
            return Error{ErrorCode::kBoardExists,
                         "There is a board '" + operation.slug + "' already.", "/id"};
        }
        record = {.id = next_board_,
                  .slug = operation.slug,
                  .config = operation.config,
                  .ranking = next_ranking_,
                  .created_at = now,
                  .updated_at = now};
        changed = true;
        return {};
    }
    if (!board) {
        return Error{ErrorCode::kBoardNotFound, "There is no board '" + operation.slug + "'."};
    }
    record = board->committed_record();
    operation.board = board;
    operation.seq = record.seq;
    if (operation.expected_revision && *operation.expected_revision != record.revision) {
        return Error{ErrorCode::kRevisionMismatch,
                     "The board is at revision " + std::to_string(record.revision) + ", not " +
                         std::to_string(*operation.expected_revision) +
                         ". Read it again and repeat your change."};
    }
    changed = true;
    switch (operation.kind) {
        case EventKind::kBoardChanged: {
            const bool new_columns = operation.config.rules.columns != record.config.rules.columns;
            if (new_columns && board->committed_board().size() > 0) {
                return Error{ErrorCode::kBoardNotEmpty,
                             "Columns can change only while the board has no entries. Reset it "
                             "first, or make another board.",
                             "/columns"};
            }
            changed = operation.config != record.config;
            // Rows of the old width end with their ranking.
            if (new_columns) record.ranking = next_ranking_;
            record.config = operation.config;
            break;
        }
        case EventKind::kBoardReset:
            record.ranking = next_ranking_;
            break;
        case EventKind::kBoardClosed:
        case EventKind::kBoardReopened: {
            const bool closed = operation.kind == EventKind::kBoardClosed;
            changed = record.closed != closed;
            record.closed = closed;
            break;
        }
        default:
            break;
    }
    if (changed && operation.kind != EventKind::kBoardReset) {
        ++record.revision;
        record.updated_at = now;
    }
    return {};
}

void Committer::commit_board(BoardOperation& operation) {
    const auto settle = [&]() -> Result<void> {
        const auto replayed = replay_board(operation);
        if (!replayed) return replayed.error();
        if (*replayed) return {};

        ledger::BoardRecord record;
        bool changed = false;
        if (const auto planned = plan_board(operation, record, changed); !planned) {
            return planned.error();
        }
        if (!changed) return {};

        const auto last_seq = begin(std::span(&record.id, 1));
        if (!last_seq) return last_seq.error();
        record.seq = {last_seq->value + 1};
        if (operation.board && changes_rule(*operation.board, record)) {
            record.rule_since = record.seq;
        }
        const ledger::Event event{.seq = record.seq,
                                  .board = record.id,
                                  .ranking = record.ranking,
                                  .kind = operation.kind,
                                  .rules_version = record.revision,
                                  .at = clock_.now(),
                                  .key = operation.key ? operation.key->hash : base::Hash128{},
                                  .fingerprint = operation.key ? operation.key->fingerprint : 0};
        ledger::Batch rows;
        rows.events = std::span(&event, 1);
        const bool deleted = operation.kind == EventKind::kBoardDeleted;
        if (deleted) {
            rows.deleted_boards = std::span(&record.id, 1);
        } else {
            rows.boards = std::span(&record, 1);
        }
        if (const auto finished = finish(rows); !finished) return finished.error();
        if (event.key) index_.add(event.key, event.seq, clock_.monotonic());
        apply_board(operation, record);
        return {};
    };
    if (const auto settled = settle(); !settled) operation.error = settled.error();
}

void Committer::apply_board(BoardOperation& operation, const ledger::BoardRecord& record) {
    std::optional<ranking::Board> old;
    if (operation.kind == EventKind::kBoardCreated) {
        operation.board = std::make_shared<HostedBoard>(record, ledger_.state().hash_seed);
        registry_.add(operation.board);
        next_board_ = {record.id.value + 1};
    } else {
        HostedBoard& board = *operation.board;
        const base::RankingId before = board.committed_record().ranking;
        const std::size_t players = board.committed_board().player_count();
        const bool deleted = operation.kind == EventKind::kBoardDeleted;
        if (deleted) {
            registry_.remove(board);
            board.mark_deleted();
            ledger::BoardRecord empty = record;
            empty.ranking = {0};
            old = board.replace(empty);
        } else {
            old = board.replace(record);
            if (record.ranking != before) registry_.rename_ranking(before, record.ranking);
        }
        if (deleted || record.ranking != before) {
            write_back_.forget(before);
            players_ -= players;
        }
        if (deleted) operation.board = nullptr;
    }
    if (record.ranking == next_ranking_) next_ranking_ = {next_ranking_.value + 1};
    if (old) reclaimer_.free_later(*std::move(old));
    operation.seq = record.seq;
    applied_seq_ = record.seq;
    statistics_.applied_seq = applied_seq_.value;
    statistics_.players = players_;
    statistics_.dirty_entries = write_back_.dirty();
    listener_.on_applied(applied_seq_);
}

void Committer::step_stream(StreamOperation& operation) {
    if (operation.step == StreamOperation::Step::kRelease) {
        active_streams_.erase(operation.key);
        return;
    }
    if (active_streams_.contains(operation.key)) {
        operation.error = Error{ErrorCode::kIdempotencyRunning,
                                "Another connection is sending a stream with this Idempotency-Key. "
                                "Wait until it has ended."};
        return;
    }
    if (index_.find(operation.key)) {
        operation.error = Error{ErrorCode::kIdempotencyMismatch,
                                "This Idempotency-Key was used for another request. Use a new key "
                                "for each stream, and the same one only to repeat it."};
        return;
    }
    auto record = ledger_.stream(operation.key);
    if (!record) {
        operation.error = record.error();
        return;
    }
    operation.record = *record;
    active_streams_[operation.key] = record->value_or(ledger::StreamRecord{});
}

// --- upkeep ---------------------------------------------------------------------------------

void Committer::plan_write_back(std::size_t most) {
    write_back_.plan(most, applied_seq_, slice_);
    slice_rows_.clear();
    for (const ledger::EntryKey& key : slice_.keys) {
        const HostedBoard* board = registry_.find(key.ranking);
        CHECK(board != nullptr);
        slice_rows_.push_back(entry_record(*board, key));
    }
}

void Committer::write_back_slice(std::size_t most) {
    if (!begin({})) return;
    slice_ = {};
    plan_write_back(most);
    ledger::Batch rows;
    rows.write_back = slice_rows_;
    rows.fold_mark = slice_.fold_mark;
    static_cast<void>(finish(rows));
    statistics_.dirty_entries = write_back_.dirty();
}

void Committer::drop_tombstones() {
    // In order of removal, so the ones that the fold mark has passed are in front.
    std::vector<Tombstone> passed;
    while (!tombstones_.empty() && passed.size() < kTombstonesAtOnce &&
           tombstones_.front().seq <= write_back_.fold_mark()) {
        const Tombstone& front = tombstones_.front();
        const HostedBoard* board = registry_.find(front.key.ranking);
        // Gone with its board, or back with a new score.
        const bool still = board != nullptr && !board->committed_board().entry(front.key.slot) &&
                           board->committed_board().last_seq(front.key.slot) == front.seq;
        if (still) passed.push_back(front);
        tombstones_.pop_front();
    }
    if (passed.empty()) return;
    if (!begin({})) {
        tombstones_.insert(tombstones_.begin(), passed.begin(), passed.end());
        return;
    }
    std::vector<ledger::EntryKey> keys;
    std::vector<ledger::BoardRecord> records;
    for (const Tombstone& tombstone : passed) {
        keys.push_back(tombstone.key);
        // The board's seq outlives the row that held it.
        const auto& record = registry_.find(tombstone.key.ranking)->committed_record();
        const bool noted = std::any_of(records.begin(), records.end(),
                                       [&](const auto& other) { return other.id == record.id; });
        if (!noted) records.push_back(record);
    }
    std::sort(keys.begin(), keys.end());
    ledger::Batch rows;
    rows.dropped = keys;
    rows.boards = records;
    if (!finish(rows)) {
        tombstones_.insert(tombstones_.begin(), passed.begin(), passed.end());
        return;
    }
    for (const ledger::EntryKey& key : keys) {
        registry_.find(key.ranking)->write([&](ledger::BoardRecord&, ranking::Board& board) {
            board.drop_player(key.slot);
        });
        --players_;
    }
    statistics_.players = players_;
}

void Committer::upkeep(bool idle) {
    if (unknown_) return;
    const bool droppable =
        !tombstones_.empty() && tombstones_.front().seq <= write_back_.fold_mark();
    if (droppable && (idle || tombstones_.size() >= kTombstonesAtOnce)) drop_tombstones();
    if (idle && write_back_.wanted(applied_seq_, players_, true)) {
        write_back_slice(kIdleWriteBack);
    }

    index_.expire(clock_.monotonic());
    const auto more = ledger_.maintain(upkeep_time(), index_.oldest().value_or(ledger::kNoKeys));
    more_upkeep_ = (more && *more) ||
                   (!tombstones_.empty() && tombstones_.front().seq <= write_back_.fold_mark());
    note_sizes();
}

// The wall clock, but no further ahead than time has passed since the start: a clock that is set
// ahead lets nothing expire.
base::Instant Committer::upkeep_time() const {
    const auto passed =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.monotonic() - started_);
    return {std::min(clock_.now().ms, started_at_.ms + passed.count())};
}

void Committer::attend_backup(BackupOperation& backup) {
    backup.seq = applied_seq_;
    if (unknown_) {
        backup.error = Error{ErrorCode::kReadOnly, refusal_};
    } else if (backup.copy) {
        if (auto pinned = backup.copy->pin(); !pinned) backup.error = pinned.error();
    } else if (auto begun = ledger_.start_backup(backup.path)) {
        backup.copy = *std::move(begun);
    } else {
        backup.error = begun.error();
    }
}

void Committer::note_sizes() {
    const auto now = clock_.monotonic();
    if (now < next_sizes_) return;
    next_sizes_ = now + kSizesEvery;
    const auto sizes = ledger_.sizes();
    statistics_.database_bytes = sizes.database_bytes;
    statistics_.wal_bytes = sizes.wal_bytes;
    // Told once; half of it again is over, so that it is not told with every batch at the edge.
    if (!wal_is_long_ && sizes.wal_bytes > options_.wal_warning_bytes) {
        wal_is_long_ = true;
        options_.log->write(base::LogLevel::kWarning,
                            "the write-ahead log is long: somebody reads the database for long, in "
                            "a shell or by check",
                            {{"wal_bytes", sizes.wal_bytes}});
    } else if (wal_is_long_ && sizes.wal_bytes < options_.wal_warning_bytes / 2) {
        wal_is_long_ = false;
        options_.log->write(base::LogLevel::kInfo, "the write-ahead log is short again",
                            {{"wal_bytes", sizes.wal_bytes}});
    }
}

}  // namespace standings::engine
