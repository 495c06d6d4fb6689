#include "ledger/sqlite/connection.h"

#include <mutex>

namespace standings::ledger::sqlite {
namespace {

base::ErrorCode code_of(int extended) {
    switch (extended & 0xFF) {
        case SQLITE_FULL:
            return base::ErrorCode::kNoSpace;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        // The statements are ours: what they do not find has gone from the schema.
        case SQLITE_ERROR:
            return base::ErrorCode::kIntegrity;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return base::ErrorCode::kBusy;
        default:
            return base::ErrorCode::kIo;
    }
}

// A path as it stands in a URI.
std::string uri_escaped(const std::string& path) {
    std::string escaped;
    for (const char c : path) {
        if (c != '%' && c != '?' && c != '#') {
            escaped += c;
            continue;
        }
        escaped += '%';
        escaped += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
        escaped += "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15];
    }
    return escaped;
}

// SQLite's allocation counters cost a process-wide lock for each allocation.
void configure_once() {
    static std::once_flag once;
    std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

}  // namespace

base::Error error_of(sqlite3* database) {
    const int code = sqlite3_extended_errcode(database);
    std::string message = sqlite3_errmsg(database);
    // It may quote a damaged schema, and goes into logs and answers: printable ASCII only.
    for (char& c : message) {
        if (c < ' ' || c > '~') c = '?';
    }
    return {code_of(code), message + " (SQLite code " + std::to_string(code) + ")"};
}

base::Error file_error(std::string_view file, int code) {
    return {code_of(code), std::string(file) + " cannot be read: " + sqlite3_errstr(code) +
                               " (SQLite code " + std::to_string(code) + ")"};
}

bool leaves_disk_unknown(int code) {
    switch (code & 0xFF) {
        case SQLITE_FULL:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_CONSTRAINT:
            return false;
        default:
            return true;
    }
}

void Statement::bind_text(int at, std::string_view text) {
    // An empty view may hold no pointer, which SQLite would take for NULL.
    const char* data = text.data() == nullptr ? "" : text.data();
    sqlite3_bind_text(statement_.get(), at, data, static_cast<int>(text.size()), SQLITE_STATIC);
}

void Statement::bind_blob(int at, std::span<const std::byte> bytes) {
    sqlite3_bind_blob(statement_.get(), at, bytes.data(), static_cast<int>(bytes.size()),
                      SQLITE_STATIC);
}

base::Result<bool> Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return error_of(sqlite3_db_handle(statement_.get()));
}

base::Result<void> Statement::run() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_DONE || code == SQLITE_ROW) {
        sqlite3_reset(statement_.get());
        return {};
    }
    base::Error error = error_of(sqlite3_db_handle(statement_.get()));
    sqlite3_reset(statement_.get());
    return error;
}

std::string_view Statement::text(int at) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), at));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), at))};
}

std::span<const std::byte> Statement::blob(int at) const {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_.get(), at));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), at))};
}

base::Result<Connection> Connection::open(const std::string& path, Access access,
                                          const std::string& vfs) {
    configure_once();
    const bool frozen = access == Access::kFrozen;
    const int mode = access == Access::kWrite
                         ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                         : SQLITE_OPEN_READONLY | (frozen ? SQLITE_OPEN_URI : 0);
    const std::string name = frozen ? "file:" + uri_escaped(path) + "?immutable=1" : path;
    sqlite3* database = nullptr;
    const int code =
        sqlite3_open_v2(name.c_str(), &database, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        vfs.empty() ? nullptr : vfs.c_str());
    Connection connection(database);
    if (database == nullptr) return base::Error{base::ErrorCode::kIo, "out of memory"};
    if (code != SQLITE_OK) return error_of(database).with_context("open " + path);
    sqlite3_extended_result_codes(database, 1);
    // A short wait covers another process that looks at the file for a moment.
    sqlite3_busy_timeout(database, 1000);
    if (access != Access::kWrite) {
        if (auto done = connection.exec("PRAGMA query_only=ON"); !done) return done.error();
    }
    return connection;
}

base::Result<void> Connection::exec(const char* sql) {
    if (sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        return error_of(handle());
    }
    return {};
}

base::Result<Statement> Connection::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return error_of(handle());
    return Statement(statement);
}

base::Result<sqlite3_file*> Connection::file(int operation) const {
    sqlite3_file* file = nullptr;
    const int code = sqlite3_file_control(handle(), "main", operation, &file);
    if (code == SQLITE_OK && file != nullptr && file->pMethods != nullptr) return file;
    return file_error("an open file", code);
}

base::Result<std::int64_t> Connection::query_number(std::string_view sql) {
    auto statement = prepare(sql);
    if (!statement) return statement.error();
    const auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return base::Error{base::ErrorCode::kIntegrity, "no row from " + std::string(sql)};
    return statement->number(0);
}

}  // namespace standings::ledger::sqlite
