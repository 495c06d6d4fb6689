#include "ledger/sqlite/checkpointer.h"

#include <array>
#include <vector>

#include "base/check.h"
#include "ledger/sqlite/wal_format.h"

namespace standings::ledger::sqlite {

using base::Result;

namespace {

base::Error moved_by_another() {
    return {base::ErrorCode::kBusy,
            "Another program has moved the write-ahead log into the database. Have others open it "
            "read-only, and try again."};
}

}  // namespace

Checkpointer::Checkpointer(Connection& connection, std::uint64_t every)
    : connection_(connection), every_(every) {
    sqlite3_wal_hook(
        connection_.handle(),
        [](void* self, sqlite3*, const char*, int frames) {
            static_cast<Checkpointer*>(self)->committed(static_cast<std::uint64_t>(frames));
            return SQLITE_OK;
        },
        this);
}

Checkpointer::~Checkpointer() {
    sqlite3_wal_hook(connection_.handle(), nullptr, nullptr);
}

// A commit of this connection, the only one that writes, has made the WAL so long. The WAL begins
// anew, with another salt, once all of it was moved: by us, or else unseen.
void Checkpointer::committed(std::uint64_t frames) {
    if (const std::shared_ptr<MovedPages> pages = watcher_.lock()) {
        const auto now = salt();
        if (!now) {
            pages->lose(now.error());
        } else if (*now != salt_) {
            if (noted_frames_ < wal_frames_) pages->lose(moved_by_another());
            salt_ = *now;
            noted_frames_ = 0;
        }
    }
    // The WAL has begun anew.
    if (frames < tried_frames_) tried_frames_ = 0;
    wal_frames_ = frames;
}

Result<Checkpointed> Checkpointer::run() {
    tried_frames_ = wal_frames_;
    Checkpointed done;
    const int code = sqlite3_wal_checkpoint_v2(
        connection_.handle(), "main", SQLITE_CHECKPOINT_PASSIVE, &done.in_wal, &done.moved);
    if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) {
        return error_of(connection_.handle()).with_context("checkpoint");
    }
    const std::shared_ptr<MovedPages> pages = watcher_.lock();
    if (pages && done.in_wal >= 0) {
        // Whoever watches has a copy that is worth nothing then; the ledger is as good as before.
        if (const auto noted = note(done, *pages); !noted) pages->lose(noted.error());
    }
    return done;
}

Result<void> Checkpointer::watch(const std::shared_ptr<MovedPages>& pages) {
    CHECK(!watched());
    const auto done = run();
    if (!done) return done.error();
    if (done->in_wal < 0) return moved_by_another();
    // Also what a start has found in the WAL, of which no commit has told.
    wal_frames_ = static_cast<std::uint64_t>(done->in_wal);
    noted_frames_ = static_cast<std::uint64_t>(done->moved);
    salt_ = 0;
    if (done->in_wal > 0) {
        const auto now = salt();
        if (!now) return now.error();
        salt_ = *now;
    }
    watcher_ = pages;
    return {};
}

// The frames say which pages they hold.
Result<void> Checkpointer::note(const Checkpointed& done, MovedPages& pages) {
    // Emptied by another program.
    if (done.in_wal == 0 && noted_frames_ < wal_frames_) return moved_by_another();
    std::vector<std::uint32_t> moved;
    for (; noted_frames_ < static_cast<std::uint64_t>(done.moved); ++noted_frames_) {
        const auto page = wal_number(wal_frame_at(static_cast<std::int64_t>(noted_frames_)));
        if (!page) return page.error();
        moved.push_back(*page);
    }
    pages.add(moved);
    return {};
}

Result<std::uint32_t> Checkpointer::salt() const {
    return wal_number(kWalSaltAt);
}

// As SQLite stores it: the high byte first.
Result<std::uint32_t> Checkpointer::wal_number(std::int64_t at) const {
    const auto wal = connection_.file(SQLITE_FCNTL_JOURNAL_POINTER);
    if (!wal) return wal.error();
    std::array<unsigned char, 4> bytes{};
    const int code = (*wal)->pMethods->xRead(*wal, bytes.data(), bytes.size(), at);
    if (code != SQLITE_OK) return file_error("the WAL", code);
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
           std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
}

}  // namespace standings::ledger::sqlite
