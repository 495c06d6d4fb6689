// A connection to SQLite and its prepared statements, as values that own what they hold.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace standings::ledger::sqlite {

// One prepared statement. Texts and blobs that are bound must live until the next reset().
class Statement {
  public:
    Statement() = default;

    void bind(int at, std::int64_t value) { sqlite3_bind_int64(statement_.get(), at, value); }
    void bind_null(int at) { sqlite3_bind_null(statement_.get(), at); }
    void bind_text(int at, std::string_view text);
    void bind_blob(int at, std::span<const std::byte> bytes);

    // True when there is a row.
    base::Result<bool> step();
    // Steps a statement that gives no row, and resets it.
    base::Result<void> run();
    void reset() { sqlite3_reset(statement_.get()); }

    // The row of the last step(). Columns count from 0.
    int type(int at) const { return sqlite3_column_type(statement_.get(), at); }
    bool is_null(int at) const { return type(at) == SQLITE_NULL; }
    std::int64_t number(int at) const { return sqlite3_column_int64(statement_.get(), at); }
    // Lives until the next step() or reset().
    std::string_view text(int at) const;
    std::span<const std::byte> blob(int at) const;

  private:
    friend class Connection;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement at the end of the scope, so that no read transaction stays open behind it.
class ResetLater {
  public:
    explicit ResetLater(Statement& statement) : statement_(statement) {}
    ~ResetLater() { statement_.reset(); }
    ResetLater(const ResetLater&) = delete;
    ResetLater& operator=(const ResetLater&) = delete;

  private:
    Statement& statement_;
};

// kFrozen: a file that nobody writes meanwhile (a backup). It is read without locks, and no file
// appears beside it.
enum class Access : std::uint8_t { kWrite, kRead, kFrozen };

// Thread: one at a time.
class Connection {
  public:
    // `vfs`: the name of a registered file layer; empty for the system's.
    static base::Result<Connection> open(const std::string& path, Access access,
                                         const std::string& vfs = {});

    base::Result<void> exec(const char* sql);
    base::Result<Statement> prepare(std::string_view sql);
    // The first column of the first row.
    base::Result<std::int64_t> query_number(std::string_view sql);

    // SQLite's own handle of its main file (SQLITE_FCNTL_FILE_POINTER) or of its WAL
    // (SQLITE_FCNTL_JOURNAL_POINTER), once both were used. A descriptor of ours for the same file
    // would drop SQLite's locks when it is closed (https://www.sqlite.org/howtocorrupt.html, 2.2).
    base::Result<sqlite3_file*> file(int operation) const;

    // Whether no transaction is open: SQLite ends one by itself after some failures.
    bool autocommit() const { return sqlite3_get_autocommit(database_.get()) != 0; }
    sqlite3* handle() const { return database_.get(); }

  private:
    struct Close {
        void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
    };
    explicit Connection(sqlite3* database) : database_(database) {}

    std::unique_ptr<sqlite3, Close> database_;
};

// The failure that `database` met last, with our code for it: full -> kNoSpace, damaged ->
// kIntegrity, locked -> kBusy, everything else kIo.
base::Error error_of(sqlite3* database);
// Of a file's method, which leaves nothing behind in the database's handle.
base::Error file_error(std::string_view file, int code);
// Whether `code` (extended) says that the effect on the disk is not known.
bool leaves_disk_unknown(int code);

}  // namespace standings::ledger::sqlite
