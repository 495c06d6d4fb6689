// What the committer does beside and between batches: write-back, tombstones, retention, copies.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "engine/committer.h"

namespace standings::engine {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kIdleWriteBack = 1024;
constexpr std::size_t kTombstonesAtOnce = 1024;
constexpr auto kSizesEvery = std::chrono::seconds(1);

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

}  // namespace

void Committer::plan_write_back(std::size_t most) {
    write_back_.plan(most, applied_seq_, slice_);
    slice_rows_.clear();
    for (const ledger::EntryKey& key : slice_.keys) {
        const HostedBoard* board = registry_.find(key.ranking);
        CHECK(board != nullptr);
        slice_rows_.push_back(entry_record(*board, key));
    }
}

void Committer::write_back_slice() {
    if (!begin({})) return;
    slice_ = {};
    plan_write_back(kIdleWriteBack);
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
        write_back_slice();
    }

    index_.expire(clock_.monotonic());
    const auto first_remembered = index_.oldest().value_or(ledger::kNoKeys);
    const auto more = ledger_.maintain(settled_clock_.now(), first_remembered);
    more_upkeep_ = (more && *more) ||
                   (!tombstones_.empty() && tombstones_.front().seq <= write_back_.fold_mark());
    note_sizes();
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
