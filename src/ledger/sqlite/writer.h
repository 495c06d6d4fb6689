// Puts a batch into the tables. Knows nothing of transactions and outcomes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/sqlite/board_table.h"
#include "ledger/sqlite/connection.h"
#include "ledger/sqlite/reader.h"
#include "ledger/sqlite/schema.h"

namespace standings::ledger::sqlite {

// The end of the ledger: the newest event and its chain value.
struct Tip {
    base::Sequence seq;
    std::uint64_t chain = 0;
    // The newest event with an idempotency key, 0: none; without a value: a database of version 1
    // did not say.
    std::optional<base::Sequence> keyed = base::Sequence{};
};

// What a batch changes beside rows; taken over only when its transaction has committed.
struct Staged {
    Tip tip;
    StateRow state;
    bool state_changed = false;
    std::vector<base::RankingId> left_rankings;  // their rows are to be deleted
};

// Owner: the ledger. Thread: the committer's. ~2 us an event, ~1 us an entry in key order.
class Writer {
  public:
    static base::Result<Writer> prepare(Connection& connection);

    // Within a transaction.
    base::Result<void> write(const Batch& batch, PointReads& reads, Staged& staged);

  private:
    base::Result<void> write_events(const Batch& batch, Staged& staged);
    base::Result<void> write_details(const Batch& batch, PointReads& reads);
    base::Result<void> write_boards(const Batch& batch, Staged& staged);
    base::Result<void> drop(const Batch& batch);
    base::Result<void> leave(base::RankingId ranking, Staged& staged);

    BoardTable boards_;
    Statement insert_event_;
    Statement put_entry_;
    Statement put_player_;
    Statement put_stream_;
    Statement entry_seq_;
    Statement drop_entry_;
    Statement drop_player_;
    Statement leave_ranking_;
};

}  // namespace standings::ledger::sqlite
