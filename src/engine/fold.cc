#include "engine/fold.h"

#include <limits>
#include <string>

#include "ledger/take_back.h"

namespace standings::engine {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

// Another rule decided then; the stored result is all there is.
ranking::Entry as_stored(const ledger::Event& event, const std::optional<ranking::Entry>& before) {
    ranking::Entry after = before.value_or(ranking::Entry{});
    after.last_seq = event.seq;
    if (after.submissions < std::numeric_limits<std::uint32_t>::max()) ++after.submissions;
    if (!before || after.scores != event.result) {
        after.scores = event.result;
        after.reached_seq = event.seq;
        after.reached_at = event.at;
    }
    return after;
}

Result<ranking::Entry> entry_after(const ledger::BoardRecord& board, const ledger::Event& event,
                                   const std::optional<ranking::Entry>& before) {
    const ranking::Submission submission{event.input, event.occurred_at};
    if (before.has_value() != event.had_entry) {
        return event_disagrees(event, "the entry before it is not the one it changed");
    }
    std::optional<ranking::Decision> decision;
    if (event.kind == ledger::EventKind::kTakenBack) {
        // It holds the entry that remained.
        decision = {event.outcome, *ledger::take_back_of(event).entry};
    } else if (event.kind == ledger::EventKind::kSet) {
        decision = ranking::set_exactly(before, submission, event.seq, event.at);
    } else if (event.seq > board.rule_since) {
        auto decided =
            ranking::evaluate(board.config.rules, before, submission, event.seq, event.at);
        if (!decided) return event_disagrees(event, "the rule refuses it");
        decision = *decided;
    }
    if (decision &&
        (decision->after.scores != event.result || decision->outcome != event.outcome)) {
        return event_disagrees(event, "the rule gives another result");
    }
    ranking::Entry after = decision ? decision->after : as_stored(event, before);
    if (event.seq <= board.rule_since) after.occurred_at = base::kNever;
    if (before) after.has_details = before->has_details;
    return after;
}

}  // namespace

Error event_disagrees(const ledger::Event& event, const char* why) {
    return {ErrorCode::kIntegrity, "event " + std::to_string(event.seq.value) +
                                       " does not follow from the ones before it: " + why +
                                       ". Restore a backup."};
}

Result<bool> fold(const ledger::BoardRecord& board, const ledger::Event& event, FoldState& state) {
    if (event.seq <= state.last_seq) return false;
    if (event.prev_seq != state.last_seq) {
        return event_disagrees(event, "the player's event before it is missing");
    }
    if (event.columns != board.config.rules.columns.size()) {
        return event_disagrees(event, "it has other columns than its board");
    }
    state.last_seq = event.seq;
    if (event.kind == ledger::EventKind::kTakenBack) {
        if (!state.entry || state.entry->scores != event.previous) {
            return event_disagrees(event, "the entry before it is not the one it changed");
        }
    }
    if (ledger::removes_entry(event)) {
        state.entry.reset();
        return true;
    }
    auto after = entry_after(board, event, state.entry);
    if (!after) return after.error();
    state.entry = *after;
    return true;
}

FoldState fold_state(const ledger::BoardRecord& board, const ledger::EntryRecord& row) {
    FoldState state{.entry = {}, .last_seq = row.entry.last_seq};
    if (row.removed) return state;
    state.entry = row.entry;
    if (row.entry.last_seq <= board.rule_since) state.entry->occurred_at = base::kNever;
    return state;
}

}  // namespace standings::engine
