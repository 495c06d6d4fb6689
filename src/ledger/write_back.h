// Which entries memory holds newer than the database, and when they are written back.
#pragma once

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
    std::vector<EntryKey> keys;  // in key order from the cursor on
    std::optional<base::Sequence> fold_mark;  // moves to this if the transaction commits
};

// A bitmap per ranking with one cursor over all of them. Nothing changes before committed() says
// that the slice is durable. Owner and thread: the committer. O(1) a mark; a slice costs its rows
// and the words of bitmap passed.
class WriteBack {
  public:
    // `fold_mark`: the ledger's at start.
    explicit WriteBack(base::Sequence fold_mark);

    // The entry was changed in memory by an event.
    void mark(EntryKey key);
    // The ranking is gone (reset, deleted).
    void forget(base::RankingId ranking);

    // Is it time? By the dirty count beyond D = max(200k, players / 5), by events past the fold
    // mark beyond 1M, or because nothing else is going on.
    bool wanted(base::Sequence last_seq, std::uint64_t players, bool idle) const;
    // The next slice of at most `most` rows. `applied_seq`: everything up to it is in memory. At
    // the end of a full wrap, or when nothing is left dirty, it carries the new fold mark.
    void plan(std::size_t most, base::Sequence applied_seq, WriteBackSlice& slice);
    // The slice is durable: its bits are cleared (marks made since plan() stay), the cursor moves.
    void committed(const WriteBackSlice& slice);

    std::size_t dirty() const;
    base::Sequence fold_mark() const;
};

}  // namespace standings::ledger
