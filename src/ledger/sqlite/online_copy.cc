#include "ledger/sqlite/snapshot_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "ledger/sqlite/schema.h"

namespace standings::ledger::sqlite {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
// So much of the copy may wait in memory for the disk: a flood of it would hold up the syncs of the
// WAL beside it.
constexpr std::uint64_t kUnwrittenBytes = std::uint64_t{8} << 20;
// https://www.sqlite.org/fileformat2.html#walformat
constexpr std::uint64_t kWalHeaderBytes = 32;
constexpr std::uint64_t kFrameHeaderBytes = 24;

Result<File> make_file(const std::string& path) {
    File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.descriptor() < 0) return system_error("make " + path);
    return file;
}

Result<sqlite3_file*> file_of(const Connection& connection, int operation) {
    sqlite3_file* file = nullptr;
    const int code = sqlite3_file_control(connection.handle(), "main", operation, &file);
    if (code == SQLITE_OK && file != nullptr && file->pMethods != nullptr) return file;
    return Error{ErrorCode::kIo,
                 "SQLite does not give its file (code " + std::to_string(code) + ")"};
}

Result<void> write_all(int descriptor, const char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t written = ::write(descriptor, bytes, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error("write the copy");
        bytes += written;
        size -= static_cast<std::size_t>(written);
    }
    return {};
}

// Has the disk begin with what was written last, and waits for what was written before that. An
// error is told once: here, or never.
Result<void> keep_disk_busy(int descriptor, std::uint64_t written) {
    const auto range = [descriptor](std::uint64_t from, std::uint64_t bytes,
                                    unsigned flags) -> Result<void> {
        const int done = ::sync_file_range(descriptor, static_cast<off64_t>(from),
                                           static_cast<off64_t>(bytes), flags);
        if (done != 0 && errno != ENOSYS) return system_error("write the copy");
        return {};
    };
    const std::uint64_t last = written - std::min<std::uint64_t>(written, kPieceBytes);
    if (auto begun = range(last, written - last, SYNC_FILE_RANGE_WRITE); !begun) return begun;
    if (last < kUnwrittenBytes) return {};
    const std::uint64_t before = last - kUnwrittenBytes;
    auto done =
        range(before, kPieceBytes,
              SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    if (!done) return done;
    ::posix_fadvise64(descriptor, static_cast<off64_t>(before), kPieceBytes, POSIX_FADV_DONTNEED);
    return {};
}

}  // namespace

Result<void> SnapshotCopy::pin(Connection& reader) {
    if (auto begun = reader.exec("BEGIN"); !begun) return begun.error();
    // The transaction takes its moment with its first read.
    if (const auto read = read_state(reader); !read) return read.error();
    return {};
}

Result<std::unique_ptr<LedgerCopy>> SnapshotCopy::start(Connection reader, std::uint64_t wal_frames,
                                                        const std::string& to) {
    const auto page_bytes = reader.query_number("PRAGMA page_size");
    if (!page_bytes) return page_bytes.error();

    std::unique_ptr<SnapshotCopy> copy(new SnapshotCopy(std::move(reader)));
    const auto add = [&copy](int operation, const std::string& path,
                             std::uint64_t size) -> Result<void> {
        const auto from = file_of(copy->reader_, operation);
        if (!from) return from.error();
        auto file = make_file(path);
        if (!file) return file.error();
        copy->parts_.push_back({*from, *std::move(file), 0, size});
        return {};
    };
    if (auto added = add(SQLITE_FCNTL_FILE_POINTER, to, 0); !added) return added.error();
    sqlite3_file* database = copy->parts_[0].from;
    sqlite3_int64 size = 0;
    if (database->pMethods->xFileSize(database, &size) != SQLITE_OK) {
        return Error{ErrorCode::kIo, "the size of the database cannot be read"};
    }
    copy->parts_[0].size = static_cast<std::uint64_t>(size);
    if (wal_frames > 0) {
        const auto frame = kFrameHeaderBytes + static_cast<std::uint64_t>(*page_bytes);
        auto added =
            add(SQLITE_FCNTL_JOURNAL_POINTER, to + "-wal", kWalHeaderBytes + wal_frames * frame);
        if (!added) return added.error();
    }
    copy->buffer_.resize(kPieceBytes);
    return std::unique_ptr<LedgerCopy>(std::move(copy));
}

Result<BackupProgress> SnapshotCopy::step() {
    CHECK(!parts_.empty());
    Part& part = parts_.back();
    if (auto done = copy_piece(part); !done) return done.error();
    BackupProgress progress{.done_bytes = done_bytes_, .total_bytes = done_bytes_};
    for (const Part& open : parts_) progress.total_bytes += open.size - open.done;
    if (part.done == part.size) parts_.pop_back();
    if (!parts_.empty()) return progress;
    progress.complete = true;
    // From now on the WAL may begin anew.
    if (auto ended = reader_.exec("COMMIT"); !ended) return ended.error();
    return progress;
}

Result<void> SnapshotCopy::copy_piece(Part& part) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, part.size - part.done));
    const int code = part.from->pMethods->xRead(part.from, buffer_.data(), static_cast<int>(size),
                                                static_cast<sqlite3_int64>(part.done));
    // Short where a checkpoint has shortened the file since: there are zeros then, which the WAL's
    // last commit cuts off.
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) {
        return Error{ErrorCode::kIo,
                     "the database cannot be read: " + std::string(sqlite3_errstr(code)) +
                         " (SQLite code " + std::to_string(code) + ")"};
    }
    if (auto written = write_all(part.to.descriptor(), buffer_.data(), size); !written) {
        return written.error();
    }
    part.done += size;
    done_bytes_ += size;
    return keep_disk_busy(part.to.descriptor(), part.done);
}

}  // namespace standings::ledger::sqlite
