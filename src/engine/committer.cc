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

// Readers get in between two slices of a batch.
constexpr std::size_t kApplySlice = 32;
// Rows written back per transaction: twice the batch, so that the dirty set shrinks under load.
constexpr std::size_t kWriteBackPerChange = 2;
constexpr auto kIdleSoon = std::chrono::milliseconds(20);
constexpr auto kIdleLong = std::chrono::seconds(60);
constexpr auto kFinalWriteBack = std::chrono::seconds(1);
constexpr auto kControlDelay = std::chrono::milliseconds(10);
constexpr auto kRetryAfter = std::chrono::seconds(1);

class NoOtherWriters final : public ledger::EventSink {
  public:
    Result<void> on_event(const ledger::Event&) override {
        return Error{ErrorCode::kIntegrity, "another writer changed the database"};
    }
};

}  // namespace

Committer::Committer(ledger::Ledger& ledger, Registry& registry, DetailsCache& cache, Feed& feed,
                     WriteQueue& queue, const base::Clock& clock, CommitListener& listener,
                     Statistics& statistics, CommitterStart start, Options options)
    : ledger_(ledger),
      registry_(registry),
      cache_(cache),
      feed_(feed),
      queue_(queue),
      clock_(clock),
      listener_(listener),
      statistics_(statistics),
      options_(options),
      settled_clock_(clock),
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
        write_back_slice();
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
        add_to_feed(batch_);
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
    add_to_feed(batch_);
    apply(batch_);
    deliver(run);
    listener_.on_applied(applied_seq_);
}

// Before it is applied: whoever sees a board move finds the submission in the feed.
void Committer::add_to_feed(const Batch& batch) {
    Feed::Adding adding(feed_);
    const auto& changes = batch.changes();
    for (std::size_t i = 0; i < changes.size(); ++i) {
        adding.add(batch.events()[i], changes[i].player, changes[i].board->committed_record());
    }
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

}  // namespace standings::engine
