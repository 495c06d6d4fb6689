#include "engine/take_back.h"

#include <algorithm>
#include <utility>

namespace standings::engine {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Sequence;
using ledger::Event;
using ledger::EventKind;

constexpr std::size_t kMaxStory = 100'000;
constexpr auto kReadTime = std::chrono::seconds(2);

Error trimmed(std::string detail) {
    return {ErrorCode::kHistoryTrimmed, std::move(detail)};
}

Error no_such_submission(Sequence seq) {
    return {ErrorCode::kSubmissionNotFound,
            "There is no submission " + std::to_string(seq.value) +
                " on this board, or it has left the ledger by its age."};
}

// The part of a chain that the present rule decided, newest first.
struct Decided {
    std::vector<Event> events;
    std::optional<Event> before;  // the event before them, where it could be read
    bool whole = false;           // the first of them made the entry
};

Result<Decided> read_decided(PlayerChain& chain, Sequence rule_since, std::size_t most) {
    Decided decided;
    Event event;
    while (decided.events.size() < most) {
        const auto more = chain.next(event);
        if (!more) return more.error();
        if (!*more) break;
        if (event.seq <= rule_since) {
            decided.before = event;
            break;
        }
        decided.events.push_back(event);
        decided.whole = !event.had_entry;
        if (decided.whole) break;
    }
    return decided;
}

// The entry just after `last`, which another rule decided: its scores are stored, and when they
// were reached is where they last changed.
Result<bool> read_base(PlayerChain& chain, Event last, std::size_t most, ranking::Entry& base) {
    base.scores = last.result;
    base.last_seq = last.seq;
    for (std::size_t walked = 0; walked < most; ++walked) {
        if (last.kind == EventKind::kTakenBack) {
            const auto then = ledger::take_back_of(last).entry;
            if (!then) return false;
            base.reached_seq = then->reached_seq;
            base.reached_at = then->reached_at;
            return true;
        }
        if (!last.had_entry || last.result != last.previous) {
            base.reached_seq = last.seq;
            base.reached_at = last.at;
            return true;
        }
        const auto more = chain.next(last);
        if (!more) return more.error();
        if (!*more) break;
    }
    return false;
}

// The take-back to begin the story from, where one of `events` (newest first) speaks of what cannot
// be read any more: each holds the whole entry that it left. None newer than the answer speaks of
// anything older than it, or that would count again.
std::optional<Sequence> exact_base(const std::vector<Event>& events, Sequence oldest) {
    Sequence below = oldest;
    std::optional<Sequence> base;
    while (true) {
        const auto newest = std::find_if(events.begin(), events.end(), [&](const Event& event) {
            return event.kind == EventKind::kTakenBack && ledger::take_back_of(event).seq < below;
        });
        if (newest == events.end() || newest->seq == base) return base;
        base = below = newest->seq;
    }
}

bool counts(const Event& event) {
    return event.kind == EventKind::kSubmit || event.kind == EventKind::kSet;
}

}  // namespace

Result<EntryStory> read_story(ledger::LedgerReader& reader, const ChainHead& head,
                              std::size_t most) {
    EntryStory story;
    if (!head.entry) return story;
    PlayerChain chain(reader, head.key, head.last_seq);
    const auto decided = read_decided(chain, head.rule_since, most);
    if (!decided) return decided.error();

    const Sequence oldest = decided->events.empty() ? Sequence{} : decided->events.back().seq;
    const auto begins = decided->whole ? std::nullopt : exact_base(decided->events, oldest);
    std::vector<ledger::TakeBack> taken;
    for (const Event& event : decided->events) {
        if (event.kind == EventKind::kTakenBack) {
            const ledger::TakeBack then = ledger::take_back_of(event);
            if (event.seq == begins) {
                story.base = then.entry;
                break;
            }
            taken.push_back(then);
        }
        const bool out = std::any_of(taken.begin(), taken.end(), [&](const auto& then) {
            return ledger::takes_back(then, event.seq);
        });
        if (!counts(event) || (out && event.kind == EventKind::kSubmit)) continue;
        story.events.push_back(
            {event.seq, event.at, event.kind == EventKind::kSet, {event.input, event.occurred_at}});
    }
    std::reverse(story.events.begin(), story.events.end());
    if (decided->whole || begins) return story;

    ranking::Entry& base = story.base.emplace();
    const auto submissions = std::count_if(story.events.begin(), story.events.end(),
                                           [](const CountedEvent& event) { return !event.set; });
    const auto known = static_cast<std::uint32_t>(submissions);
    base.submissions = head.entry->submissions - std::min(known, head.entry->submissions);
    if (decided->before) {
        const auto placed = read_base(chain, *decided->before, most, base);
        if (!placed) return placed.error();
        story.base_vague = !*placed;
        story.base_last_seq = decided->before->seq;
        return story;
    }
    story.base_vague = true;
    if (decided->events.empty()) {
        base = *head.entry;
        story.base_last_seq = head.last_seq;
        return story;
    }
    const Event& first = decided->events.back();
    base.scores = first.previous;
    base.last_seq = story.base_last_seq = first.prev_seq;
    if (head.entry->reached_seq < first.seq) {
        // Nothing since has moved it, or what did was taken back.
        base.reached_seq = head.entry->reached_seq;
        base.reached_at = head.entry->reached_at;
        story.base_vague = head.config->rules.rule == ranking::Rule::kLast;
    }
    return story;
}

Result<std::optional<ranking::Entry>> remaining_entry(const ranking::Rules& rules,
                                                      const EntryStory& story,
                                                      const ledger::TakeBack& take_back) {
    std::optional<ranking::Entry> entry = story.base;
    // Nothing reaches a score at 0: that marks what still rests on a base of unknown place.
    if (story.base_vague) entry->reached_seq = {};
    for (const CountedEvent& event : story.events) {
        if (!event.set && ledger::takes_back(take_back, event.seq)) continue;
        if (event.set) {
            entry = ranking::set_exactly(entry, event.submission, event.seq, event.at).after;
            continue;
        }
        const auto decided = ranking::evaluate(rules, entry, event.submission, event.seq, event.at);
        if (!decided) return decided.error();
        entry = decided->after;
    }
    if (!entry) return entry;
    // Only this rule looks at it, and only its entries keep it.
    if (rules.rule != ranking::Rule::kLast) entry->occurred_at = base::kNever;
    if (!story.base_vague) return entry;
    if (rules.rule == ranking::Rule::kSum) {
        // The scores are exact all the same. Of equal ones the place is the last it can have been.
        if (entry->reached_seq.value == 0) {
            entry->reached_seq = story.base_last_seq;
            entry->reached_at = story.events.empty() ? entry->reached_at : story.events[0].at;
        }
        return entry;
    }
    if (rules.rule == ranking::Rule::kLast || entry->reached_seq.value == 0) {
        return trimmed(
            "The submissions that the score would go back to have left the ledger, so it is not "
            "known. Set the right score with PUT, or remove the entry with DELETE of the player.");
    }
    return entry;
}

namespace {

struct FoundSubmission {
    std::optional<ChainHead> head;  // of the chain that it may be in
    bool taken_back = false;        // already
};

Result<FoundSubmission> find_submission(ledger::LedgerReader& reader, const HostedBoard& board,
                                        Sequence seq) {
    const auto event = reader.event(seq);
    if (!event) return event.error();
    if (!*event || (*event)->board != board.id() || (*event)->kind != EventKind::kSubmit) {
        return no_such_submission(seq);
    }
    const ledger::EntryKey key{(*event)->ranking, (*event)->slot};
    FoundSubmission found{.head = read_chain_head(board, key)};
    const auto undoings = reader.undoings(std::span(&key, 1), seq);
    if (!undoings) return undoings.error();
    bool removed = false;
    for (const Event& undoing : *undoings) {
        removed |= ledger::removes_entry(undoing);
        found.taken_back |= undoing.kind == EventKind::kTakenBack &&
                            ledger::takes_back(ledger::take_back_of(undoing), seq);
    }
    // Somebody else may have the slot by now.
    if (removed && found.taken_back) found.head.reset();
    return found;
}

TakeBackPlan plan_for(const ChainHead& head) {
    TakeBackPlan plan;
    plan.player = head.player;
    plan.planned.key = head.key;
    plan.planned.last_seq = head.last_seq;
    plan.planned.rule_since = head.rule_since;
    return plan;
}

}  // namespace

Result<TakeBackPlan> plan_take_back(ledger::LedgerReader& reader, const HostedBoard& board,
                                    const base::Clock& clock, const TakeBackTarget& target) {
    ReadTimeLimit limited(reader, clock);
    limited.start(kReadTime);
    const Sequence* seq = std::get_if<Sequence>(&target);
    std::optional<ChainHead> head;
    if (seq != nullptr) {
        auto found = find_submission(reader, board, *seq);
        if (!found) return found.error();
        head = std::move(found->head);
        if (found->taken_back) return head ? plan_for(*head) : TakeBackPlan{};
        if (!head || !head->entry) {
            return trimmed(
                "The entry that this submission counted for was removed, or the board "
                "was reset: there is nothing to take it back from.");
        }
    } else {
        head = read_chain_head(board, std::get<std::string>(target));
        if (!head || !head->entry) return TakeBackPlan{};
    }

    const auto story = read_story(reader, *head, kMaxStory);
    if (!story) return story.error();
    TakeBackPlan plan = plan_for(*head);
    ledger::TakeBack& what = plan.planned.what;
    for (const CountedEvent& event : story->events) {
        if (event.set || (seq != nullptr && event.seq != *seq)) continue;
        if (plan.count == 0) what = {.seq = event.seq, .onwards = seq == nullptr, .entry = {}};
        ++plan.count;
    }
    if (plan.count == 0 && seq != nullptr) {
        return trimmed(
            "This submission counts as part of a fixed base: it came before a removal "
            "of the entry or a change of the board's rule, or its history has left the "
            "ledger. Set the right score with PUT, or remove the entry with DELETE.");
    }
    if (seq == nullptr && story->base && story->base->submissions > 0) {
        return trimmed(
            "Some of the player's submissions count as part of a fixed base: they came before a "
            "change of the board's rule, or have left the ledger. Remove the entry with DELETE of "
            "the player, or set the right score with PUT.");
    }
    if (plan.count == 0) return plan;
    auto remaining = remaining_entry(head->config->rules, *story, what);
    if (!remaining) return remaining.error();
    what.entry = *std::move(remaining);
    return plan;
}

}  // namespace standings::engine
