#include "ledger/sqlite/sqlite_ledger.h"

#include <sys/stat.h>

#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "ledger/sqlite/board_table.h"
#include "ledger/sqlite/database_copy.h"
#include "ledger/sqlite/online_copy.h"
#include "ledger/sqlite/row_codec.h"

namespace standings::ledger {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Sequence;

namespace {

base::SystemRandom system_random;

std::uint64_t file_bytes(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

}  // namespace

SqliteLedger::SqliteLedger(const SqliteOptions& options, sqlite::Connection connection,
                           sqlite::MarkFile mark)
    : path_((options.folder / "standings.db").string()),
      vfs_(options.vfs),
      random_(options.random != nullptr ? *options.random : system_random),
      checkpoint_pages_(options.checkpoint_pages),
      connection_(std::move(connection)),
      mark_(std::move(mark)),
      reserve_(options.folder / "standings.reserve", options.reserve_bytes) {}

// --- start ----------------------------------------------------------------------------------

Result<std::unique_ptr<SqliteLedger>> SqliteLedger::open(const SqliteOptions& options) {
    const std::string path = (options.folder / "standings.db").string();
    auto mark = sqlite::MarkFile::open(options.folder / "standings.mark", options.watcher);
    if (!mark) return mark.error();
    if (file_bytes(path) == 0 && mark->found() && mark->found()->seq.value > 0 &&
        !options.accept_data_loss) {
        return Error{ErrorCode::kIntegrity,
                     path + " is missing, but the mark file says that it held " +
                         std::to_string(mark->found()->seq.value) +
                         " events; restore it, or start with --accept-data-loss"};
    }
    auto connection = sqlite::Connection::open(path, sqlite::Access::kWrite, options.vfs);
    if (!connection) return connection.error();

    // The last connection that closes would checkpoint on its own, also on a disk that has failed.
    sqlite3_db_config(connection->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);

    std::unique_ptr<SqliteLedger> ledger(
        new SqliteLedger(options, *std::move(connection), *std::move(mark)));
    const auto fresh = sqlite::is_new(ledger->connection_);
    if (!fresh) return fresh.error().with_context(path);
    if (auto done = sqlite::configure_writer(ledger->connection_, options.cache_bytes); !done) {
        return done.error().with_context(path);
    }
    if (*fresh) {
        auto done = sqlite::create(ledger->connection_, ledger->random_);
        if (!done) return done.error().with_context("create " + path);
    } else if (auto done = sqlite::bring_up_to_date(ledger->connection_); !done) {
        return done.error().with_context("bring up to date " + path);
    }
    if (auto done = ledger->load(); !done) return done.error().with_context(path);
    if (auto done = ledger->compare_with_mark(options.accept_data_loss); !done) {
        return done.error().with_context(path);
    }
    if (auto done = ledger->prepare(); !done) return done.error().with_context(path);
    auto upkeep = sqlite::Upkeep::prepare(ledger->connection_, options.retention);
    if (!upkeep) return upkeep.error().with_context(path);
    ledger->upkeep_ = *std::move(upkeep);
    ledger->full_ = !ledger->reserve_.hold();
    if (ledger->full_) {
        ledger->notes_.push_back("the disk is full: nothing is written until there is space");
    }
    if (auto done = sqlite::sync_folder(options.folder); !done) return done.error();
    if (options.watcher != nullptr) options.watcher->on_sync_folder();
    return ledger;
}

// Where the ledger ends, from the database alone.
Result<void> SqliteLedger::load() {
    auto row = sqlite::read_state(connection_);
    if (!row) return row.error();
    row_ = *std::move(row);
    const auto last = connection_.query_number("SELECT coalesce(max(seq), 0) FROM event");
    if (!last) return last.error();
    if (*last > 0) {
        auto statement =
            connection_.prepare("SELECT " + std::string(sqlite::kEventColumns) +
                                ", keyed_before FROM event WHERE seq = " + std::to_string(*last));
        if (!statement) return statement.error();
        const auto found = statement->step();
        if (!found) return found.error();
        sqlite::EventRow event;
        if (!*found || !sqlite::read_event(*statement, event)) {
            return sqlite::damaged("event", std::to_string(*last));
        }
        tip_ = {event.event.seq, event.chain, event.event.seq};
        if (!event.event.key) tip_.keyed = sqlite::keyed_before(*statement, 28);
    }
    if (row_.fold_mark > tip_.seq) {
        return Error{ErrorCode::kIntegrity,
                     "entries hold events up to " + std::to_string(row_.fold_mark.value) +
                         ", but the newest event is " + std::to_string(tip_.seq.value) +
                         "; restore a backup"};
    }
    return {};
}

Result<void> SqliteLedger::compare_with_mark(bool accept_data_loss) {
    const std::optional<sqlite::Mark>& mark = mark_.found();
    std::string loss;
    if (!mark) {
        if (mark_.unreadable()) {
            notes_.push_back("standings.mark could not be read; it was made anew");
        } else if (tip_.seq.value > 0) {
            notes_.push_back("standings.mark was missing; it was made anew");
        }
    } else if (mark->database_id != row_.database_id) {
        if (mark->seq.value > 0) loss = "the mark file belongs to another database";
    } else if (mark->epoch != row_.epoch) {
        loss = "the mark file belongs to another epoch of this database";
    } else if (mark->seq > tip_.seq) {
        loss = "the events " + std::to_string(tip_.seq.value + 1) + " to " +
               std::to_string(mark->seq.value) +
               ", which were acknowledged, are not in the database";
    } else if (mark->seq.value > 0) {
        auto statement = connection_.prepare("SELECT chain FROM event WHERE seq = ?1");
        if (!statement) return statement.error();
        statement->bind(1, static_cast<std::int64_t>(mark->seq.value));
        const auto found = statement->step();
        if (!found) return found.error();
        if (*found && static_cast<std::uint64_t>(statement->number(0)) != mark->chain) {
            loss = "event " + std::to_string(mark->seq.value) +
                   " is not the one that was acknowledged (its chain value differs)";
        }
    }
    if (loss.empty()) return write_mark();
    if (!accept_data_loss) {
        return Error{ErrorCode::kIntegrity,
                     loss + "; restore a backup, or start with --accept-data-loss"};
    }
    notes_.push_back("data loss accepted: " + loss);
    return begin_new_epoch();
}

Result<void> SqliteLedger::begin_new_epoch() {
    row_.epoch = sqlite::make_epoch(random_);
    if (auto done = sqlite::write_state(connection_, row_); !done) return done;
    return write_mark();
}

Result<void> SqliteLedger::prepare() {
    auto reads = sqlite::PointReads::prepare(connection_);
    if (!reads) return reads.error();
    reads_ = *std::move(reads);
    auto writer = sqlite::Writer::prepare(connection_);
    if (!writer) return writer.error();
    writer_ = *std::move(writer);
    const std::pair<sqlite::Statement*, std::string_view> statements[] = {
        {&begin_, "BEGIN IMMEDIATE"},
        {&commit_, "COMMIT"},
        {&first_event_, "SELECT min(seq) FROM event"},
    };
    for (const auto& [out, sql] : statements) {
        auto statement = connection_.prepare(sql);
        if (!statement) return statement.error();
        *out = *std::move(statement);
    }
    checkpointer_.emplace(connection_, checkpoint_pages_);
    state_ = {.epoch = row_.epoch,
              .last_seq = tip_.seq,
              .fold_mark = row_.fold_mark,
              .next_board = row_.next_board,
              .next_ranking = row_.next_ranking,
              .hash_seed = row_.hash_seed};
    return {};
}

Result<void> SqliteLedger::write_mark() {
    return mark_.write({.database_id = row_.database_id,
                        .epoch = row_.epoch,
                        .seq = tip_.seq,
                        .chain = tip_.chain});
}

Result<sqlite::Connection> SqliteLedger::read_connection() const {
    return sqlite::Connection::open(path_, sqlite::Access::kRead, vfs_);
}

Result<sqlite::LiveRankings> SqliteLedger::live_rankings() {
    auto statement = connection_.prepare("SELECT ranking FROM board");
    if (!statement) return statement.error();
    auto live = std::make_shared<std::unordered_set<std::uint32_t>>();
    while (true) {
        const auto found = statement->step();
        if (!found) return found.error();
        if (!*found) return sqlite::LiveRankings(std::move(live));
        live->insert(static_cast<std::uint32_t>(statement->number(0)));
    }
}

Result<std::vector<BoardRecord>> SqliteLedger::boards() {
    return sqlite::read_boards(connection_);
}

Result<std::unique_ptr<Cursor<PlayerRecord>>> SqliteLedger::players() {
    auto live = live_rankings();
    if (!live) return live.error();
    auto connection = read_connection();
    if (!connection) return connection.error();
    return sqlite::player_cursor(*std::move(connection), *std::move(live));
}

Result<std::unique_ptr<Cursor<EntryRecord>>> SqliteLedger::entries() {
    auto live = live_rankings();
    if (!live) return live.error();
    auto connection = read_connection();
    if (!connection) return connection.error();
    return sqlite::entry_cursor(*std::move(connection), *std::move(live));
}

Result<std::unique_ptr<Cursor<Event>>> SqliteLedger::events(Sequence after) {
    auto connection = read_connection();
    if (!connection) return connection.error();
    return sqlite::event_cursor(*std::move(connection), after, row_.fold_mark, tip_.seq);
}

Result<std::unique_ptr<Cursor<Event>>> SqliteLedger::keyed_events(std::chrono::milliseconds window,
                                                                  std::uint64_t most) {
    auto connection = read_connection();
    if (!connection) return connection.error();
    auto events = sqlite::read_keyed_events(*connection, window, most);
    if (!events) return events.error();
    return sqlite::keyed_cursor(*std::move(events));
}

// --- one transaction ------------------------------------------------------------------------

Result<void> SqliteLedger::begin(std::span<const base::BoardId>) {
    CHECK(!in_transaction_);
    if (!stopped_.empty()) return Error{ErrorCode::kReadOnly, stopped_};
    if (full_) {
        if (!reserve_.hold()) {
            return Error{ErrorCode::kNoSpace, "the disk that holds " + path_ + " is full"};
        }
        full_ = false;
    }
    if (auto done = begin_.run(); !done) return failed(done.error());
    in_transaction_ = true;
    staged_.tip = tip_;
    staged_.state = row_;
    staged_.state_changed = false;
    staged_.left_rankings.clear();
    return {};
}

Result<Sequence> SqliteLedger::catch_up(EventSink&) {
    return tip_.seq;
}

Result<void> SqliteLedger::append(const Batch& batch) {
    CHECK(in_transaction_);
    if (auto done = writer_->write(batch, *reads_, staged_); !done) return failed(done.error());
    if (staged_.state_changed) {
        auto done = sqlite::write_state(connection_, staged_.state);
        if (!done) return failed(done.error());
    }
    return {};
}

Committed SqliteLedger::commit() {
    CHECK(in_transaction_);
    Committed committed = end_transaction();
    if (committed.outcome != CommitOutcome::kCommitted) return committed;

    const bool moved = staged_.tip.seq > tip_.seq;
    tip_ = staged_.tip;
    row_ = staged_.state;
    state_.last_seq = tip_.seq;
    state_.fold_mark = row_.fold_mark;
    state_.next_board = row_.next_board;
    state_.next_ranking = row_.next_ranking;
    for (const base::RankingId ranking : staged_.left_rankings) upkeep_->leave(ranking);
    if (moved) {
        // The batch is durable; only the next one is in doubt on such a disk.
        if (auto done = write_mark(); !done) stop_writing(done.error().detail);
    }
    return committed;
}

void SqliteLedger::roll_back() {
    in_transaction_ = false;
    if (connection_.autocommit()) return;
    if (auto done = connection_.exec("ROLLBACK"); !done) {
        stop_writing("a transaction could not be rolled back: " + done.error().detail);
    }
}

// COMMIT, and what its failure means. Only a full disk or a lock is surely without effect: after a
// failed write or fsync the batch may come back when the file is read again.
Committed SqliteLedger::end_transaction() {
    auto done = commit_.run();
    if (done) {
        in_transaction_ = false;
        return {};
    }
    const int code = sqlite3_extended_errcode(connection_.handle());
    const Error error = failed(done.error());
    roll_back();
    if (sqlite::leaves_disk_unknown(code) || !stopped_.empty()) {
        return {CommitOutcome::kUnknown, error.detail};
    }
    return {CommitOutcome::kRolledBack, error.detail};
}

Error SqliteLedger::failed(Error error) {
    const int code = sqlite3_extended_errcode(connection_.handle());
    const bool from_sqlite = code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE;
    if (!from_sqlite) return error;  // a damaged row, say
    if ((code & 0xFF) == SQLITE_FULL) {
        full_ = true;
        reserve_.release();
    } else if (sqlite::leaves_disk_unknown(code)) {
        stop_writing(error.detail);
    }
    return error;
}

void SqliteLedger::stop_writing(const std::string& why) {
    if (stopped_.empty()) stopped_ = "nothing is written until a restart, because: " + why;
}

// --- between transactions -------------------------------------------------------------------

Result<std::optional<Event>> SqliteLedger::event(Sequence seq) {
    return reads_->event(seq);
}

Result<Details> SqliteLedger::details(EntryKey key) {
    auto player = reads_->player(key);
    if (!player) return player.error();
    if (!*player) return Details{};
    return std::move((*player)->details);
}

Result<std::optional<StreamRecord>> SqliteLedger::stream(base::Hash128 key) {
    return reads_->stream(key);
}

Result<bool> SqliteLedger::maintain(base::Instant now, base::Sequence first_remembered) {
    CHECK(!in_transaction_);
    if (!stopped_.empty()) return Error{ErrorCode::kReadOnly, stopped_};
    if (checkpointer_->due()) {
        if (auto done = checkpoint(); !done) return done.error();
        return upkeep_->due(now);
    }
    if (full_ || !upkeep_->due(now)) return false;
    if (auto done = begin_.run(); !done) return failed(done.error());
    in_transaction_ = true;
    auto more = upkeep_->slice(now, std::min(row_.fold_mark, first_remembered));
    if (!more) {
        upkeep_->ended(false);
        Error error = failed(more.error());
        roll_back();
        return error;
    }
    const Committed committed = end_transaction();
    upkeep_->ended(committed.outcome == CommitOutcome::kCommitted);
    if (committed.outcome == CommitOutcome::kCommitted) return more;
    return Error{
        committed.outcome == CommitOutcome::kUnknown ? ErrorCode::kReadOnly : ErrorCode::kNoSpace,
        committed.detail};
}

Result<sqlite::Checkpointed> SqliteLedger::checkpoint() {
    auto done = checkpointer_->run();
    if (!done) return failed(done.error());
    return done;
}

LedgerSizes SqliteLedger::sizes() {
    LedgerSizes sizes;
    sizes.database_bytes = file_bytes(path_);
    sizes.wal_bytes = file_bytes(path_ + "-wal");
    const sqlite::ResetLater reset(first_event_);
    const auto found = first_event_.step();
    if (found && *found && tip_.seq.value > 0) {
        sizes.events = tip_.seq.value - static_cast<std::uint64_t>(first_event_.number(0)) + 1;
    }
    return sizes;
}

Result<std::unique_ptr<LedgerCopy>> SqliteLedger::start_backup(const std::string& path) {
    CHECK(!in_transaction_);
    if (!stopped_.empty()) return Error{ErrorCode::kReadOnly, stopped_};
    if (checkpointer_->watched()) {
        return Error{ErrorCode::kBusy, "Another copy is being made. Wait for its end."};
    }
    auto reader = read_connection();
    if (!reader) return reader.error();
    auto moved = std::make_shared<sqlite::MovedPages>();
    if (auto watched = checkpointer_->watch(moved); !watched) return failed(watched.error());
    const auto at_the_pin = [this]() -> Result<sqlite::Checkpointed> {
        CHECK(!in_transaction_);
        if (!stopped_.empty()) return Error{ErrorCode::kReadOnly, stopped_};
        return checkpoint();
    };
    return sqlite::OnlineCopy::start(*std::move(reader), std::move(moved), at_the_pin, path);
}

Result<BackupFacts> SqliteLedger::seal_backup(const std::string& path,
                                              const std::function<bool()>& cancelled) {
    return sqlite::seal_copy(path, cancelled);
}

Result<std::unique_ptr<LedgerReader>> SqliteLedger::open_reader() {
    auto connection = read_connection();
    if (!connection) return connection.error();
    return sqlite::make_reader(*std::move(connection));
}

Result<void> SqliteLedger::close() {
    if (in_transaction_) roll_back();
    if (!stopped_.empty()) return Error{ErrorCode::kReadOnly, stopped_};
    const int code = sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr,
                                               SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if (code == SQLITE_OK || (code & 0xFF) == SQLITE_BUSY) {
        // All is in the database file: the last connection may remove the empty WAL.
        sqlite3_db_config(connection_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
        stopped_ = "the ledger is closed";
        return {};
    }
    return failed(sqlite::error_of(connection_.handle()).with_context("checkpoint"));
}

}  // namespace standings::ledger
