#include "ledger/sqlite/database_copy.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "ledger/sqlite/board_table.h"
#include "ledger/sqlite/cursors.h"
#include "ledger/sqlite/files.h"
#include "ledger/sqlite/row_codec.h"
#include "ledger/sqlite/schema.h"
#include "ledger/sqlite/wal_format.h"

namespace standings::ledger::sqlite {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr int kPagesAtOnce = 4096;
// Between two looks at whether it is cancelled: of a file that is synced, a fraction of a second on
// a slow disk, and of SQLite's work, far less than a millisecond.
constexpr off_t kSyncedAtOnce = off_t{16} << 20;
constexpr int kStepsAtOnce = 1000;

using Cancelled = std::function<bool()>;

Error was_cancelled() {
    return {ErrorCode::kCancelled, "It was cancelled."};
}

// Ends what the connection does once it is cancelled. `cancelled` outlives the connection.
void end_when(Connection& connection, const Cancelled& cancelled) {
    if (!cancelled) return;
    const auto ask = [](void* what) { return (*static_cast<const Cancelled*>(what))() ? 1 : 0; };
    sqlite3_progress_handler(connection.handle(), kStepsAtOnce, ask,
                             const_cast<Cancelled*>(&cancelled));
}

Result<void> sync_file(const std::string& path, const Cancelled& cancelled = {}) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.descriptor() < 0) return system_error("open " + path);
    struct stat facts {};
    if (::fstat(file.descriptor(), &facts) != 0) return system_error("stat " + path);
    // One fsync of it all could not be ended. It has the last word all the same.
    for (off_t at = 0; cancelled && at < facts.st_size; at += kSyncedAtOnce) {
        if (cancelled()) return was_cancelled();
        const int done = ::sync_file_range(
            file.descriptor(), at, kSyncedAtOnce,
            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
        if (done != 0 && errno != ENOSYS) return system_error("write " + path);
    }
    if (::fsync(file.descriptor()) != 0) return system_error("fsync " + path);
    return {};
}

struct Finish {
    void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
};
using Copy = std::unique_ptr<sqlite3_backup, Finish>;

Error copy_failure(int code) {
    const bool full = (code & 0xFF) == SQLITE_FULL;
    return {full ? ErrorCode::kNoSpace : ErrorCode::kIo,
            "the copy could not be written: " + std::string(sqlite3_errstr(code)) +
                " (SQLite code " + std::to_string(code) + ")"};
}

}  // namespace

Result<void> copy_database(const std::filesystem::path& from, const std::string& to,
                           const std::function<bool(const BackupProgress&)>& progress) {
    const auto access = read_access(from);
    if (!access) return access.error();
    auto source = Connection::open(from.string(), *access);
    if (!source) return source.error();
    const auto fresh = is_new(*source);
    if (!fresh) return fresh.error();
    if (*fresh) return Error{ErrorCode::kIntegrity, from.string() + " holds no database"};
    {
        // With our mode, and certainly new: SQLite would open whatever is there.
        const File file(::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (file.descriptor() < 0) return system_error("make " + to);
    }
    auto destination = Connection::open(to, Access::kWrite);
    if (!destination) return destination.error();
    // The copy counts only once it is whole and synced, by seal_copy().
    auto set = destination->exec(
        "PRAGMA locking_mode=EXCLUSIVE;PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;"
        "PRAGMA cache_size=-1024");
    if (!set) return set.error();
    Copy copy(sqlite3_backup_init(destination->handle(), "main", source->handle(), "main"));
    if (!copy) return error_of(destination->handle()).with_context("begin a backup");
    while (true) {
        const int code = sqlite3_backup_step(copy.get(), kPagesAtOnce);
        if (code == SQLITE_DONE) break;
        if (code != SQLITE_OK && code != SQLITE_BUSY && code != SQLITE_LOCKED) {
            return copy_failure(code);
        }
        const auto bytes = [](int pages) { return static_cast<std::uint64_t>(pages * kPageBytes); };
        const std::uint64_t total = bytes(sqlite3_backup_pagecount(copy.get()));
        const std::uint64_t left = bytes(sqlite3_backup_remaining(copy.get()));
        if (!progress({.done_bytes = total - left, .total_bytes = total})) {
            return Error{ErrorCode::kCancelled, "It was cancelled."};
        }
    }
    const int code = sqlite3_backup_finish(copy.release());
    if (code != SQLITE_OK) return copy_failure(code);
    return {};
}

bool has_hot_journal(const std::filesystem::path& database) {
    const File journal(::open((database.string() + "-journal").c_str(), O_RDONLY | O_CLOEXEC));
    // Zero until the journal is synced; before that SQLite does not touch the database.
    char first = 0;
    return journal.descriptor() >= 0 && ::read(journal.descriptor(), &first, 1) == 1 && first != 0;
}

Result<Access> read_access(const std::filesystem::path& database) {
    std::error_code none;
    // Beside an empty file lies what a first start was about to make: there is nothing to undo.
    if (std::filesystem::file_size(database, none) > 0 && !none && has_hot_journal(database)) {
        return Error{ErrorCode::kIntegrity, "'" + database.string() +
                                                "-journal' lies beside the database, and the next "
                                                "start would undo changes with it"};
    }
    const auto wal = std::filesystem::file_size(database.string() + "-wal", none);
    return none || wal == 0 ? Access::kFrozen : Access::kRead;
}

Result<Mark> renew_epoch(const std::string& path, base::Random& random) {
    const auto facts = read_copy(path);
    if (!facts) return facts.error();
    Mark mark{.database_id = facts->database_id, .seq = facts->seq, .chain = facts->chain};
    {
        auto connection = Connection::open(path, Access::kWrite);
        if (!connection) return connection.error();
        auto state = read_state(*connection);
        if (!state) return state.error();
        state->epoch = make_epoch(random);
        if (auto done = write_state(*connection, *state); !done) return done.error();
        mark.epoch = state->epoch;
    }
    if (auto done = sync_file(path); !done) return done.error();
    return mark;
}

Result<BackupFacts> seal_copy(const std::string& path, const Cancelled& cancelled) {
    {
        auto connection = Connection::open(path, Access::kWrite);
        if (!connection) return connection.error();
        // The copied header says WAL. Without it the file needs nothing beside it, whoever opens
        // it; a server that starts on it turns WAL on again.
        auto statement = connection->prepare("PRAGMA journal_mode=DELETE");
        if (!statement) return statement.error();
        const auto row = statement->step();
        if (!row) return row.error();
        // It says what the mode is now, and is no error where it could not change.
        if (!*row || statement->text(0) != "delete") {
            return Error{ErrorCode::kBusy, path + " is open in another program"};
        }
    }
    if (auto done = sync_file(path, cancelled); !done) return done.error();
    return read_copy(path, cancelled);
}

namespace {

Result<BackupFacts> read_facts(const std::string& path, const Cancelled& cancelled) {
    auto connection = Connection::open(path, Access::kFrozen);
    if (!connection) return connection.error();
    end_when(*connection, cancelled);
    const auto fresh = is_new(*connection);
    if (!fresh) return fresh.error().with_context(path);
    if (*fresh) return Error{ErrorCode::kIntegrity, path + " holds no database"};
    const auto state = read_state(*connection);
    if (!state) return state.error().with_context(path);
    const auto boards = read_boards(*connection);
    if (!boards) return boards.error().with_context(path);

    BackupFacts facts{.database_id = state->database_id, .epoch = state->epoch};
    facts.boards = boards->size();
    // By a column: SQLite counts rows alone in one step, which nothing can end.
    const auto players = connection->query_number("SELECT count(slot) FROM player");
    if (!players) return players.error().with_context(path);
    facts.players = static_cast<std::uint64_t>(*players);
    const auto last = connection->query_number("SELECT coalesce(max(seq), 0) FROM event");
    if (!last) return last.error().with_context(path);
    facts.seq = {static_cast<std::uint64_t>(*last)};
    if (facts.seq < state->fold_mark) {
        return Error{ErrorCode::kIntegrity, path + " has lost events: entries hold them up to " +
                                                std::to_string(state->fold_mark.value) +
                                                ", the newest is " + std::to_string(*last)};
    }
    if (facts.seq.value == 0) return facts;
    auto chain =
        connection->query_number("SELECT chain FROM event WHERE seq = " + std::to_string(*last));
    if (!chain) return chain.error().with_context(path);
    facts.chain = static_cast<std::uint64_t>(*chain);
    auto events =
        event_cursor(*std::move(connection), state->fold_mark, state->fold_mark, facts.seq);
    if (!events) return events.error().with_context(path);
    for (Event event;;) {
        const auto more = (*events)->next(event);
        if (!more) return more.error().with_context(path);
        if (!*more) return facts;
    }
}

}  // namespace

Result<BackupFacts> read_copy(const std::string& path, const Cancelled& cancelled) {
    auto facts = read_facts(path, cancelled);
    // What ended it was then SQLite's interruption, not the file.
    if (!facts && cancelled && cancelled()) return was_cancelled();
    return facts;
}

}  // namespace standings::ledger::sqlite
