// One transaction in the making: operations become events, with what each leaves behind.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "engine/details_cache.h"
#include "engine/hosted_board.h"
#include "engine/idempotency_index.h"
#include "engine/operation.h"
#include "ledger/ledger.h"

namespace standings::engine {

// What one event does to memory once it is durable.
struct AppliedChange {
    HostedBoard* board;
    base::PlayerSlot slot;
    bool new_player;
    std::string_view player;              // lives in its operation
    std::optional<ranking::Entry> after;  // none: removed
    base::Sequence seq;
    bool continues;  // belongs to the same atomic operation as the change before it
};

// Keyed streams that a connection carries just now, as far as they are durable.
using ActiveStreams =
    boost::unordered_flat_map<base::Hash128, ledger::StreamRecord, std::hash<base::Hash128>>;

// Evaluates operations in order against memory and what earlier ones of the same batch left.
// Nothing outside changes: dropping the batch undoes it. Owner and thread: the committer.
class Batch {
  public:
    Batch(ledger::Ledger& ledger, const IdempotencyIndex& index, DetailsCache& cache,
          const ActiveStreams& streams)
        : ledger_(ledger), index_(index), cache_(cache), active_streams_(streams) {}

    // Empties it for events from `last_seq` + 1 on, all at the time `now`.
    void start(base::Sequence last_seq, base::Instant now);
    // Fills in the operation's outcome.
    void evaluate(EntryOperation& operation);

    // What to append.
    ledger::Batch rows() const;
    bool empty() const { return events_.empty() && streams_.empty(); }
    const std::vector<ledger::Event>& events() const { return events_; }
    const std::vector<AppliedChange>& changes() const { return changes_; }
    // New names and meta, for the cache.
    struct NewDetails {
        ledger::EntryKey key;
        SharedDetails details;
    };
    const std::vector<NewDetails>& new_details() const { return new_details_; }
    const std::vector<ledger::StreamRecord>& streams() const { return streams_; }
    base::Sequence last_seq() const { return {next_seq_.value - 1}; }

  private:
    struct SlotKey {
        const HostedBoard* board;
        base::PlayerSlot slot;
        friend bool operator==(const SlotKey&, const SlotKey&) = default;
    };
    struct PlayerKey {
        const HostedBoard* board;
        std::string_view player;
        friend bool operator==(const PlayerKey&, const PlayerKey&) = default;
    };
    struct Hash {
        std::size_t operator()(const SlotKey& key) const noexcept;
        std::size_t operator()(const PlayerKey& key) const noexcept;
    };
    // An entry as the batch so far leaves it.
    struct Pending {
        std::optional<ranking::Entry> entry;
        base::Sequence last_seq;
        SharedDetails details;  // none: as stored
    };
    // Where an atomic operation began, to go back there.
    struct Mark {
        base::Sequence next_seq;
        std::size_t events, changes, new_players, details, new_details;
    };
    struct Undo {
        SlotKey key;
        std::optional<Pending> before;
    };
    struct Found {
        base::PlayerSlot slot;
        bool is_new;
        Pending state;
    };

    // True when the key was used before and the outcome is filled in (or an error).
    bool replay(EntryOperation& operation);
    base::Result<void> read_replayed(EntryOperation& operation, base::Sequence first);
    base::Result<void> evaluate_change(EntryOperation& operation, const EntryChange& change,
                                       ChangeOutcome& outcome);
    base::Result<void> note_details(const EntryOperation& operation, const EntryChange& change,
                                    const Found& found, Pending& after);
    void drop_details(ledger::EntryKey key, Pending& after);
    base::Result<SharedDetails> present_details(ledger::EntryKey key, const Found& found);
    // The stream as it is durable, with what this batch adds.
    const ledger::StreamRecord& stream_so_far(base::Hash128 key) const;
    void note_progress(EntryOperation& operation);
    Found find(const EntryOperation& operation, std::string_view player) const;
    // The last change of the board, the ones of this batch included.
    base::Sequence board_seq(const HostedBoard& board) const;
    void keep(SlotKey key, Pending pending);
    Mark mark() const;
    void go_back(const Mark& mark);

    ledger::Ledger& ledger_;
    const IdempotencyIndex& index_;
    DetailsCache& cache_;
    const ActiveStreams& active_streams_;

    base::Instant now_;
    base::Sequence next_seq_;
    std::vector<ledger::Event> events_;
    std::vector<ledger::PlayerRecord> new_players_;
    std::vector<ledger::PlayerRecord> details_;
    std::vector<ledger::StreamRecord> streams_;
    std::vector<AppliedChange> changes_;
    std::vector<NewDetails> new_details_;

    boost::unordered_flat_map<SlotKey, Pending, Hash> pending_;
    boost::unordered_flat_map<PlayerKey, base::PlayerSlot, Hash> new_slots_;
    boost::unordered_flat_map<const HostedBoard*, std::size_t> new_counts_;
    boost::unordered_flat_map<base::Hash128, std::uint64_t, std::hash<base::Hash128>> keys_;
    boost::unordered_flat_map<base::Hash128, std::size_t, std::hash<base::Hash128>> stream_rows_;
    std::vector<Undo> undo_;
    // Where the events of the operation under way begin: the first one carries its key.
    std::size_t first_event_ = 0;
};

}  // namespace standings::engine
