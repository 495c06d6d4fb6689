// What an event makes of an entry that is written back already: the rule again, compared with what
// was stored. A start folds events into memory by it, an export into the rows of a snapshot.
#pragma once

#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "ledger/records.h"
#include "ranking/rules.h"

namespace standings::engine {

// A player's state on one board, as far as it is folded. `has_details` is left as it is: the events
// do not know of names.
struct FoldState {
    std::optional<ranking::Entry> entry;  // none: removed, or not there yet
    base::Sequence last_seq;              // 0: no event yet
};

// Folds an event of the board's present life into the state of its player. False: the state holds
// it already. kIntegrity where the event does not follow from the ones before it.
base::Result<bool> fold(const ledger::BoardRecord& board, const ledger::Event& event,
                        FoldState& state);

// An entry as its row has it, under the board's present rule.
FoldState fold_state(const ledger::BoardRecord& board, const ledger::EntryRecord& row);

// The same failure for what else does not fit.
base::Error event_disagrees(const ledger::Event& event, const char* why);

}  // namespace standings::engine
