// One board as the running server holds it: identity, configuration, and its rankings in memory.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>

#include "base/ids.h"
#include "base/rw_lock.h"
#include "ledger/records.h"
#include "ranking/board.h"

namespace standings::engine {

// Promise: whoever holds the lock shared sees the board as it was after exactly the events up to
// its seq. Owner: the registry, shared with operations under way. Threads: the committer writes
// under the exclusive side, in short slices; event loops read under the shared side and copy what
// they need. The committer, being the only writer, reads without the lock.
class HostedBoard {
  public:
    // `hash_seed`: chance that clients do not know, so that they cannot make ids that collide.
    HostedBoard(const ledger::BoardRecord& record, std::uint64_t hash_seed)
        : id_(record.id),
          slug_(record.slug),
          hash_seed_(hash_seed),
          record_(record),
          config_(std::make_shared<const ledger::BoardConfig>(record.config)),
          board_(make_board(record.config.rules)) {}

    base::BoardId id() const { return id_; }
    const std::string& slug() const { return slug_; }

    // What a reader may look at while the lock is held.
    struct View {
        const ledger::BoardRecord& record;
        const std::shared_ptr<const ledger::BoardConfig>& config;
        const ranking::Board& board;
        base::Sequence seq() const { return record.seq; }
    };

    // Calls `look(View)` under the shared lock. Keep it short; no I/O, no rendering.
    template <class Look>
    auto read(Look&& look) const {
        const std::shared_lock hold(lock_);
        return look(View{record_, config_, board_});
    }

    // A copy of identity and configuration, as of now.
    ledger::BoardRecord record() const {
        return read([](const View& view) { return view.record; });
    }
    // What an ETag needs, without a row.
    base::Sequence seq() const {
        return read([](const View& view) { return view.seq(); });
    }

    // Moves when the columns do: scores that were read for other columns are not taken.
    std::uint32_t columns_version() const {
        return columns_version_.load(std::memory_order_acquire);
    }

    // A deleted board answers 404 to whoever still holds it.
    bool deleted() const { return deleted_.load(std::memory_order_acquire); }

    // --- the committer's side -------------------------------------------------------------------

    const ledger::BoardRecord& committed_record() const { return record_; }
    const ranking::Board& committed_board() const { return board_; }

    // Calls `change(record, board)` under the exclusive lock.
    template <class Change>
    void write(Change&& change) {
        const std::unique_lock hold(lock_);
        change(record_, board_);
    }
    // A new configuration, and an empty board under its rules if `ranking` is a new life. Answers
    // the rows of the old life, to be freed elsewhere.
    std::optional<ranking::Board> replace(const ledger::BoardRecord& record);
    // Before the server starts: no reader yet.
    ranking::Board& loading_board() { return board_; }
    ledger::BoardRecord& loading_record() { return record_; }

    void mark_deleted() { deleted_.store(true, std::memory_order_release); }

  private:
    ranking::Board make_board(const ranking::Rules& rules) const {
        return ranking::Board(rules, 1, {.hash_seed = hash_seed_});
    }

    const base::BoardId id_;
    const std::string slug_;
    const std::uint64_t hash_seed_;
    mutable base::RwLock lock_;
    std::atomic<bool> deleted_{false};
    ledger::BoardRecord record_;
    std::shared_ptr<const ledger::BoardConfig> config_;
    std::atomic<std::uint32_t> columns_version_{0};
    ranking::Board board_;
};

}  // namespace standings::engine
