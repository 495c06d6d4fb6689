// Taking submissions back: what the others of the player add up to without them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "engine/hosted_board.h"
#include "engine/operation.h"
#include "engine/player_chain.h"
#include "ledger/ledger.h"
#include "ledger/take_back.h"
#include "ranking/rules.h"

namespace standings::engine {

// One event of an entry that can be run again.
struct CountedEvent {
    base::Sequence seq;
    base::Instant at;
    bool set = false;  // past the rule, by PUT: it cannot be taken back
    ranking::Submission submission;
};

// How an entry came to be, as far as it can be told.
struct EntryStory {
    // What the entry was before `events`; none: nothing was. That is where the player came, or what
    // an earlier rule left, or what the ledger holds no events of any more.
    std::optional<ranking::Entry> base;
    // The base's scores are known, but not the place or the time of what gave them.
    bool base_vague = false;
    // For a vague base: its last event, which is the best guess at where its scores were reached.
    base::Sequence base_last_seq;
    std::vector<CountedEvent> events;  // oldest first, without what was taken back
};

// Reads the story of `head`'s entry. Gives up the older part of a chain beyond `most` events, as if
// the ledger had lost it. ~3 us an event.
base::Result<EntryStory> read_story(ledger::LedgerReader& reader, const ChainHead& head,
                                    std::size_t most);

// What remains of the entry when the submissions that `take_back` names are left out: every other
// event is run again in order. None: nothing remains. Pure. Fails with kHistoryTrimmed where the
// story does not tell, kScoreOverflow where a sum leaves what a score can hold.
base::Result<std::optional<ranking::Entry>> remaining_entry(const ranking::Rules& rules,
                                                            const EntryStory& story,
                                                            const ledger::TakeBack& take_back);

// A submission by its seq, or all that a player has on the board.
using TakeBackTarget = std::variant<base::Sequence, std::string>;

// What a worker found out; the committer does it if the entry is still the same.
struct TakeBackPlan {
    std::size_t count = 0;  // submissions; 0: they are taken back already, or there are none
    std::string player;     // empty where nobody is known
    PlannedTakeBack planned;
};

// On a worker's thread. Fails with kSubmissionNotFound, kHistoryTrimmed, kReadTimeout.
base::Result<TakeBackPlan> plan_take_back(ledger::LedgerReader& reader, const HostedBoard& board,
                                          const base::Clock& clock, const TakeBackTarget& target);

}  // namespace standings::engine
