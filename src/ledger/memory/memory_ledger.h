// The ledger without a disk: for the demo and for tests.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "ledger/ledger.h"

namespace standings::ledger {

// What a MemoryLedger has committed. A ledger opened on the store of another one finds all of it,
// as after a restart.
struct MemoryStore {
    std::mutex mutex;  // guards all of it: readers look at it from other threads
    LedgerState state;
    std::deque<Event> events;  // contiguous; the oldest go when there are too many
    std::map<EntryKey, PlayerRecord> players;
    std::map<EntryKey, EntryRecord> entries;
    std::map<base::BoardId, BoardRecord> boards;
    std::map<base::Hash128, StreamRecord> streams;
};

struct MemoryOptions {
    // Kept beyond the ones that the fold mark still needs.
    std::size_t events = 100'000;
    base::Random* random = nullptr;  // for epoch and hash seed; the system's when null
};

// Promise: that of Ledger, as long as the store lives. Nothing fails.
class MemoryLedger final : public Ledger {
  public:
    static std::unique_ptr<MemoryLedger> open(const MemoryOptions& options = {});
    static std::unique_ptr<MemoryLedger> open(std::shared_ptr<MemoryStore> store,
                                              const MemoryOptions& options = {});

    const std::shared_ptr<MemoryStore>& store() const { return store_; }

    const LedgerState& state() const override { return state_; }

    base::Result<std::vector<BoardRecord>> boards() override;
    base::Result<std::unique_ptr<Cursor<PlayerRecord>>> players() override;
    base::Result<std::unique_ptr<Cursor<EntryRecord>>> entries() override;
    base::Result<std::unique_ptr<Cursor<Event>>> events(base::Sequence after) override;
    base::Result<std::unique_ptr<Cursor<Event>>> keyed_events(std::chrono::milliseconds window,
                                                              std::uint64_t most) override;

    base::Result<void> begin(std::span<const base::BoardId> boards) override;
    base::Result<base::Sequence> catch_up(EventSink& sink) override;
    base::Result<void> append(const Batch& batch) override;
    Committed commit() override;
    void roll_back() override;

    base::Result<std::optional<Event>> event(base::Sequence seq) override;
    base::Result<Details> details(EntryKey key) override;
    base::Result<std::optional<StreamRecord>> stream(base::Hash128 key) override;

    // Keeps every event anyway.
    base::Result<bool> maintain(base::Instant now, base::Sequence first_remembered) override;
    LedgerSizes sizes() override;
    // There is no file to copy: kNotImplemented.
    base::Result<std::unique_ptr<LedgerCopy>> start_backup(const std::string& path) override;
    base::Result<BackupFacts> seal_backup(const std::string& path,
                                          const std::function<bool()>& cancelled) override;
    base::Result<std::unique_ptr<LedgerReader>> open_reader() override;
    base::Result<void> close() override { return {}; }

  private:
    // A batch with its own copies of what the caller's spans showed.
    struct Copy {
        std::vector<Event> events;
        std::vector<PlayerRecord> new_players;
        std::vector<PlayerRecord> details;
        std::vector<BoardRecord> boards;
        std::vector<base::BoardId> deleted_boards;
        std::vector<StreamRecord> streams;
        std::vector<EntryRecord> write_back;
        std::vector<EntryKey> dropped;
        std::optional<base::Sequence> fold_mark;
    };

    MemoryLedger(std::shared_ptr<MemoryStore> store, const MemoryOptions& options);

    void apply(Copy& batch);
    void drop(const EntryKey& key);
    void forget_ranking(base::RankingId ranking);

    const std::shared_ptr<MemoryStore> store_;
    const std::size_t most_events_;
    LedgerState state_;  // the committer's copy
    std::vector<Copy> appended_;
    base::Sequence appended_seq_;
    bool in_transaction_ = false;
};

}  // namespace standings::ledger
