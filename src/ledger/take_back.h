// What an event of kind kTakenBack says. It holds the entry that remains wholly, so that whoever
// replays it needs none of the events before it. docs/formats/database.md has the columns.
#pragma once

#include <optional>

#include "base/ids.h"
#include "ledger/records.h"

namespace standings::ledger {

struct TakeBack {
    base::Sequence seq;    // the submission that no longer counts
    bool onwards = false;  // and with it all of the player's from it on
    // What remains; none: no submission is left. Its last_seq and has_details are not kept here.
    std::optional<ranking::Entry> entry;
};

// Fills in `event`, whose seq, previous scores and had_entry are there already.
void put_take_back(Event& event, const TakeBack& take_back);
// The other way; `event` is of this kind. The entry's last_seq is the event's seq.
TakeBack take_back_of(const Event& event);

// Whether `take_back` speaks of the submission at `seq`, which is the same player's and older.
inline bool takes_back(const TakeBack& take_back, base::Sequence seq) {
    return take_back.seq == seq || (take_back.onwards && take_back.seq < seq);
}

// The event took the entry away.
inline bool removes_entry(const Event& event) {
    return event.kind == EventKind::kRemove ||
           (event.kind == EventKind::kTakenBack && event.outcome == ranking::Outcome::kRemoved);
}

}  // namespace standings::ledger
