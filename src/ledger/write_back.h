// Which entries memory holds newer than the database, and when they are written back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "ledger/records.h"

namespace standings::ledger {

// What one transaction writes back. The caller fills rows from memory for `keys`.
struct WriteBackSlice {
    std::vector<EntryKey> keys;               // in key order from the cursor on
    std::optional<base::Sequence> fold_mark;  // moves to this if the transaction commits
};

// When write-back runs although there is other work. docs/decisions/0001 has the measurements.
struct WriteBackLimits {
    std::uint64_t dirty = 200'000;       // entries, or a fifth of the players if that is more
    std::uint64_t unfolded = 1'000'000;  // events past the fold mark: what a start replays
};

// A bitmap of dirty entries with one cursor over all rankings, in chunks that exist only while
// they hold a bit: a clean ranking costs nothing, 10 million dirty slots 2 MB.
//
// Promise: when a slice that carries a fold mark has committed, every entry row holds all events
// up to that mark, so that replaying the later ones with seq > entry.last_seq gives memory's
// state. A wrap of the cursor that began when `S` was applied has written every entry that was
// dirty then, in a state no older than S; that is why the mark moves to S at its end.
//
// Owner and thread: the committer. A mark costs O(log chunks); a slice its rows and the
// words of bitmap passed.
class WriteBack {
  public:
    // `fold_mark`: the ledger's at start.
    explicit WriteBack(base::Sequence fold_mark, WriteBackLimits limits = {});

    // The entry was changed in memory by an event.
    void mark(EntryKey key);
    // The ranking is gone (reset, deleted).
    void forget(base::RankingId ranking);

    // Is it time? By the dirty count, by the events past the fold mark, or because nothing else is
    // going on and something is left to do.
    bool wanted(base::Sequence last_seq, std::uint64_t players, bool idle) const;
    // The next slice of at most `most` rows, which must be written as memory holds them now.
    // `applied_seq`: everything up to it is in memory. At the end of a full wrap, or when nothing
    // is left dirty, the slice carries the new fold mark. A slice planned before that was never
    // committed is taken back first.
    void plan(std::size_t most, base::Sequence applied_seq, WriteBackSlice& slice);
    // The slice planned last is durable: its bits are cleared (marks made since plan() stay), the
    // cursor moves.
    void committed(const WriteBackSlice& slice);

    std::size_t dirty() const { return dirty_ + in_flight_.size(); }
    base::Sequence fold_mark() const { return fold_mark_; }

  private:
    static constexpr std::uint32_t kChunkBits = 10;
    static constexpr std::uint32_t kChunkSlots = 1U << kChunkBits;

    // Dirty bits of kChunkSlots slots. Never empty while it is in the map.
    struct Chunk {
        std::array<std::uint64_t, kChunkSlots / 64> words{};
        std::uint32_t count = 0;
    };
    // Ranking and slot in one number, in key order.
    using Place = std::uint64_t;
    static Place place_of(EntryKey key) {
        return (Place{key.ranking.value} << 32) | key.slot.value;
    }

    void take_back();

    WriteBackLimits limits_;
    std::map<Place, Chunk> chunks_;  // by the place of their first slot
    Chunk* recent_ = nullptr;        // the chunk marked last, at recent_start_
    Place recent_start_ = 0;
    std::size_t dirty_ = 0;  // bits set in chunks_

    base::Sequence fold_mark_;
    Place cursor_ = 0;         // 0: a wrap begins
    base::Sequence wrap_seq_;  // applied when the present wrap began

    // The slice that is planned and not yet committed. Its bits are out of chunks_ already, so that
    // a mark made meanwhile is seen as one.
    std::vector<EntryKey> in_flight_;
    Place cursor_before_ = 0;
};

}  // namespace standings::ledger
