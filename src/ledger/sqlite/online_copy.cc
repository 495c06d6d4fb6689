#include "ledger/sqlite/online_copy.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "ledger/sqlite/schema.h"
#include "ledger/sqlite/wal_format.h"

namespace standings::ledger::sqlite {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::uint64_t kPieceBytes = std::uint64_t{256} << 10;
// So little is copied in a moment, also while the WAL may not begin anew.
constexpr std::uint64_t kFewBytes = std::uint64_t{16} << 20;

// Zeros where the file has become shorter meanwhile: the copy's end cuts them off, or the page is
// noted once there is one again.
Result<void> read_pages(sqlite3_file* file, char* to, std::uint64_t size, std::uint64_t at) {
    const int code =
        file->pMethods->xRead(file, to, static_cast<int>(size), static_cast<sqlite3_int64>(at));
    if (code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ) return {};
    return file_error("the database", code);
}

}  // namespace

Result<std::unique_ptr<LedgerCopy>> OnlineCopy::start(Connection reader,
                                                      std::shared_ptr<MovedPages> moved,
                                                      Checkpoint checkpoint, std::string to) {
    // SQLite opens its files with the first read.
    if (const auto read = read_state(reader); !read) return read.error();
    auto file = SteadyFile::make(to);
    if (!file) return file.error();
    std::unique_ptr<OnlineCopy> copy(new OnlineCopy(std::move(reader), std::move(moved),
                                                    std::move(checkpoint), std::move(to),
                                                    *std::move(file)));
    const auto bytes = copy->file_bytes();
    if (!bytes) return bytes.error();
    copy->begin_round({{.first = 1, .count = *bytes / kPageBytes}});
    copy->buffer_.resize(kPieceBytes);
    return std::unique_ptr<LedgerCopy>(std::move(copy));
}

Result<std::uint64_t> OnlineCopy::file_bytes() const {
    const auto file = reader_.file(SQLITE_FCNTL_FILE_POINTER);
    if (!file) return file.error();
    sqlite3_int64 size = 0;
    const int code = (*file)->pMethods->xFileSize(*file, &size);
    if (code != SQLITE_OK) return file_error("the database", code);
    return static_cast<std::uint64_t>(size);
}

void OnlineCopy::begin_round(std::vector<PageRun> pages) {
    pages_ = std::move(pages);
    next_ = 0;
    round_bytes_ = 0;
    for (const PageRun& run : pages_) round_bytes_ += run.count * kPageBytes;
    total_bytes_ = done_bytes_ + round_bytes_;
}

Result<BackupProgress> OnlineCopy::step() {
    if (const auto why = moved_->lost()) return *why;
    BackupProgress progress;
    if (pages_left()) {
        if (auto done = copy_pages(); !done) return done.error();
    } else if (wal_ && wal_->done < wal_->size) {
        if (auto done = copy_wal(); !done) return done.error();
    } else if (pinned_) {
        if (auto done = complete(); !done) return done.error();
        progress.complete = true;
    } else if (const auto left = moved_->count() * kPageBytes;
               left <= kFewBytes || left > round_bytes_ / 2) {
        // As few as there will ever be: what one round leaves to the next does not shrink any more.
        progress.wants_pin = true;
    } else {
        begin_round(moved_->take());
    }
    progress.done_bytes = done_bytes_;
    progress.total_bytes = total_bytes_;
    return progress;
}

Result<void> OnlineCopy::pin() {
    CHECK(!pinned_ && !pages_left());
    if (auto begun = reader_.exec("BEGIN"); !begun) return begun.error();
    // The transaction takes its moment with its first read.
    if (const auto read = read_state(reader_); !read) return read.error();
    // Behind the pin: one before it could be overtaken by another program's.
    const auto done = checkpoint_();
    if (!done) return done.error();
    if (done->in_wal < 0) {
        return Error{ErrorCode::kBusy,
                     "Another program is moving the write-ahead log into the database. Try again."};
    }
    const auto bytes = file_bytes();
    if (!bytes) return bytes.error();
    pinned_ = true;
    pinned_bytes_ = *bytes;
    begin_round(moved_->take());
    // A WAL that is wholly in the database file is not read any more.
    if (done->all()) return {};
    auto to = SteadyFile::make(path_ + "-wal");
    if (!to) return to.error();
    wal_.emplace(
        WalPart{*std::move(to), 0, static_cast<std::uint64_t>(wal_frame_at(done->in_wal))});
    total_bytes_ += wal_->size;
    return {};
}

// A piece of this round: of one run of pages, or of many small ones.
Result<void> OnlineCopy::copy_pages() {
    const auto file = reader_.file(SQLITE_FCNTL_FILE_POINTER);
    if (!file) return file.error();
    std::uint64_t left = kPieceBytes;
    while (left > 0 && pages_left()) {
        PageRun& run = pages_[next_];
        const std::uint64_t pages = std::min<std::uint64_t>(run.count, left / kPageBytes);
        const std::uint64_t at = (run.first - 1) * kPageBytes;
        const std::uint64_t size = pages * kPageBytes;
        if (auto read = read_pages(*file, buffer_.data(), size, at); !read) return read.error();
        if (auto written = to_.write(buffer_.data(), size, at); !written) return written.error();
        run.first += pages;
        run.count -= pages;
        if (run.count == 0) ++next_;
        left -= size;
        done_bytes_ += size;
    }
    return to_.flush();
}

Result<void> OnlineCopy::copy_wal() {
    const auto file = reader_.file(SQLITE_FCNTL_JOURNAL_POINTER);
    if (!file) return file.error();
    const std::uint64_t size = std::min(kPieceBytes, wal_->size - wal_->done);
    const int code = (*file)->pMethods->xRead(*file, buffer_.data(), static_cast<int>(size),
                                              static_cast<sqlite3_int64>(wal_->done));
    if (code != SQLITE_OK) return file_error("the WAL", code);
    if (auto written = wal_->to.write(buffer_.data(), size, wal_->done); !written) {
        return written.error();
    }
    wal_->done += size;
    done_bytes_ += size;
    return wal_->to.flush();
}

Result<void> OnlineCopy::complete() {
    // From now on the WAL may begin anew.
    if (auto ended = reader_.exec("COMMIT"); !ended) return ended.error();
    if (wal_) {
        if (auto done = wal_->to.finish(wal_->size); !done) return done.error();
    }
    return to_.finish(pinned_bytes_);
}

}  // namespace standings::ledger::sqlite
