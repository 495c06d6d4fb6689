#include "ledger/sqlite/checkpointer.h"

#include <array>
#include <vector>

#include "base/check.h"
#include "ledger/sqlite/wal_format.h"

namespace standings::ledger::sqlite {

using base::Result;

Checkpointer::Checkpointer(Connection& connection, std::uint64_t every)
    : connection_(connection), every_(every) {
    sqlite3_wal_hook(
        connection_.handle(),
        [](void* self, sqlite3*, const char*, int frames) {
            auto& checkpointer = *static_cast<Checkpointer*>(self);
            checkpointer.wal_frames_ = static_cast<std::uint64_t>(frames);
            // The WAL has begun anew.
            if (checkpointer.wal_frames_ < checkpointer.tried_frames_) {
                checkpointer.tried_frames_ = 0;
            }
            return SQLITE_OK;
        },
        this);
}

Checkpointer::~Checkpointer() {
    sqlite3_wal_hook(connection_.handle(), nullptr, nullptr);
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
    // Whoever watches has a copy that is worth nothing then; the ledger is as good as before.
    if (pages && done.in_wal > 0 && !note(done, *pages)) pages->lose();
    return done;
}

void Checkpointer::watch(const std::shared_ptr<MovedPages>& pages) {
    CHECK(!watched());
    watcher_ = pages;
    noted_salt_.reset();
    noted_frames_ = 0;
    noted_all_ = true;
}

// The frames say which pages they hold. Each beginning of the WAL counts its salt up by one, and
// needs that all of it was moved before: so what lies between two checkpoints is known, unless
// another program has checkpointed meanwhile.
Result<void> Checkpointer::note(const Checkpointed& done, MovedPages& pages) {
    const auto salt = wal_number(kWalSaltAt);
    if (!salt) return salt.error();
    if (noted_salt_ && *salt != *noted_salt_) {
        if (!noted_all_ || *salt != *noted_salt_ + 1) pages.lose();
        noted_frames_ = 0;
    }
    std::vector<std::uint32_t> moved;
    for (; noted_frames_ < done.moved; ++noted_frames_) {
        const auto page = wal_number(wal_frame_at(noted_frames_));
        if (!page) return page.error();
        moved.push_back(*page);
    }
    pages.add(moved);
    noted_salt_ = *salt;
    noted_all_ = done.all();
    return {};
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
