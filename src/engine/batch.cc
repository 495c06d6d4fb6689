#include "engine/batch.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace standings::engine {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using ledger::EventKind;

Error out_of_limits(const ledger::BoardConfig& config, std::size_t column, bool below) {
    const auto& rules = config.rules;
    const auto& limit = config.limits[column];
    std::string detail = "The score is ";
    detail +=
        below ? "below the least that the board takes, " : "above the most that the board takes, ";
    ranking::append_units(detail, below ? *limit.min : *limit.max, rules.columns[column].decimals);
    detail += '.';
    return {ErrorCode::kInvalid, std::move(detail),
            rules.columns.size() == 1 ? "/score" : "/scores/" + rules.columns[column].name};
}

Result<void> check_limits(const ledger::BoardConfig& config, const ranking::Scores& scores) {
    for (std::size_t i = 0; i < config.rules.columns.size(); ++i) {
        const auto& limit = config.limits[i];
        if (limit.min && scores.units[i] < *limit.min) return out_of_limits(config, i, true);
        if (limit.max && scores.units[i] > *limit.max) return out_of_limits(config, i, false);
    }
    return {};
}

// An error that each change of the same board would meet now, and none perhaps later.
bool is_of_the_board(ErrorCode code) {
    return code == ErrorCode::kBoardClosed || code == ErrorCode::kBoardNotFound ||
           code == ErrorCode::kRevisionMismatch;
}

// Takes over what `text` says; true when that changes `stored`.
bool merge(std::optional<std::string>& stored, const std::optional<std::string_view>& text) {
    if (!text) return false;
    if (text->empty()) return std::exchange(stored, std::nullopt).has_value();
    if (stored && *stored == *text) return false;
    stored.emplace(*text);
    return true;
}

// What was planned fits the entry as it is now.
bool still_holds(const PlannedTakeBack& planned, const ledger::BoardRecord& record,
                 base::PlayerSlot slot, base::Sequence last_seq) {
    return planned.key == ledger::EntryKey{record.ranking, slot} && planned.last_seq == last_seq &&
           planned.rule_since == record.rule_since;
}

ranking::Decision decide(const PlannedTakeBack& planned, const ranking::Entry& before,
                         base::Sequence seq) {
    if (!planned.what.entry) return {ranking::Outcome::kRemoved, {}};
    ranking::Decision decision{ranking::Outcome::kReplaced, *planned.what.entry};
    decision.after.last_seq = seq;
    if (decision.after.scores == before.scores) decision.outcome = ranking::Outcome::kUnchanged;
    return decision;
}

}  // namespace

std::size_t Batch::Hash::operator()(const SlotKey& key) const noexcept {
    return reinterpret_cast<std::uintptr_t>(key.board) ^ (std::size_t{key.slot.value} << 20);
}

std::size_t Batch::Hash::operator()(const PlayerKey& key) const noexcept {
    return base::hash64(key.player, reinterpret_cast<std::uintptr_t>(key.board));
}

void Batch::start(base::Sequence last_seq, base::Instant now) {
    now_ = now;
    next_seq_ = {last_seq.value + 1};
    events_.clear();
    new_players_.clear();
    details_.clear();
    streams_.clear();
    changes_.clear();
    new_details_.clear();
    pending_.clear();
    new_slots_.clear();
    new_counts_.clear();
    keys_.clear();
    stream_rows_.clear();
}

void Batch::evaluate(EntryOperation& operation) {
    if (operation.key && replay(operation)) return;
    if (operation.stream &&
        stream_so_far(operation.stream->key).lines != operation.stream->lines_before) {
        operation.error =
            Error{ErrorCode::kOverloaded,
                  "An earlier part of the stream could not be stored. Send the stream "
                  "again with the same Idempotency-Key."};
        return;
    }

    undo_.clear();
    first_event_ = events_.size();
    const Mark begin = mark();
    operation.outcomes.resize(operation.changes.size());
    for (std::size_t i = 0; i < operation.changes.size(); ++i) {
        const std::size_t applied = changes_.size();
        const auto result = evaluate_change(operation, operation.changes[i], operation.outcomes[i]);
        const bool stops = operation.atomic || (operation.stops_with_board && !result &&
                                                is_of_the_board(result.error().code));
        if (!result && stops) {
            go_back(begin);
            operation.error = result.error();
            operation.failed_change = i;
            operation.outcomes.clear();
            return;
        }
        if (!result) operation.outcomes[i].error = result.error();
        const bool emitted = changes_.size() > applied;
        if (emitted) changes_.back().continues = operation.atomic && applied > begin.changes;
    }
    if (operation.key) keys_.emplace(operation.key->hash, operation.key->fingerprint);
    if (operation.stream) note_progress(operation);
}

bool Batch::replay(EntryOperation& operation) {
    const RequestKey& key = *operation.key;
    if (keys_.contains(key.hash)) {
        operation.error = Error{ErrorCode::kIdempotencyRunning,
                                "The first request with this Idempotency-Key is still under way. "
                                "Send it again in a moment."};
        return true;
    }
    const auto first = index_.find(key.hash);
    if (!first) return false;
    const auto read = read_replayed(operation, *first);
    if (!read) {
        operation.error = read.error();
        operation.outcomes.clear();
    }
    return true;
}

Result<void> Batch::read_replayed(EntryOperation& operation, base::Sequence first) {
    for (std::size_t i = 0; i < operation.changes.size(); ++i) {
        const auto event = ledger_.event({first.value + i});
        if (!event) return event.error();
        // The first event carries the key; the fingerprint stands for how many follow.
        const bool same =
            *event && (i > 0 || ((*event)->key == operation.key->hash &&
                                 (*event)->fingerprint == operation.key->fingerprint));
        if (!same) {
            return Error{ErrorCode::kIdempotencyMismatch,
                         "This Idempotency-Key was used for another request. Use a new key for "
                         "each request, and the same one only to repeat it."};
        }
        const ledger::Event& then = **event;
        operation.outcomes.push_back({.error = {},
                                      .outcome = then.outcome,
                                      .seq = then.seq,
                                      .slot = then.slot,
                                      .had_entry = then.had_entry,
                                      .previous = then.previous});
    }
    operation.replayed = true;
    return {};
}

Batch::Found Batch::find(const HostedBoard& board, std::string_view player) const {
    const ranking::Board& committed = board.committed_board();
    std::optional<base::PlayerSlot> slot = committed.find(player);
    if (!slot) {
        const auto made = new_slots_.find(PlayerKey{&board, player});
        if (made == new_slots_.end()) {
            const auto count = new_counts_.find(&board);
            const std::size_t before = count == new_counts_.end() ? 0 : count->second;
            return {committed.upcoming_slot(before), true, {}};
        }
        slot = made->second;
    }
    const auto changed = pending_.find(SlotKey{&board, *slot});
    if (changed != pending_.end()) return {*slot, false, changed->second};
    return {*slot, false, {committed.entry(*slot), committed.last_seq(*slot), nullptr}};
}

base::Sequence Batch::board_seq(const HostedBoard& board) const {
    const auto last = std::find_if(changes_.rbegin(), changes_.rend(),
                                   [&](const auto& change) { return change.board == &board; });
    return last == changes_.rend() ? board.committed_record().seq : last->seq;
}

void Batch::keep(SlotKey key, Pending pending) {
    const auto [at, is_new] = pending_.try_emplace(key);
    undo_.push_back({key, is_new ? std::optional<Pending>{} : at->second});
    at->second = std::move(pending);
}

Result<void> Batch::evaluate_change(EntryOperation& operation, const EntryChange& change,
                                    ChangeOutcome& outcome) {
    HostedBoard& board = *change.board;
    const ledger::BoardRecord& record = board.committed_record();
    if (board.deleted()) {
        return Error{ErrorCode::kBoardNotFound, "The board '" + board.slug() + "' was deleted."};
    }
    const bool has_scores =
        change.kind != EventKind::kRemove && change.kind != EventKind::kTakenBack;
    if (has_scores && change.columns_version != board.columns_version()) {
        return Error{ErrorCode::kRevisionMismatch,
                     "The columns of the board changed while the request was under way. Read the "
                     "board and send it again."};
    }
    if (record.closed && has_scores) {
        return Error{ErrorCode::kBoardClosed,
                     "The board '" + board.slug() + "' is closed and takes no scores."};
    }
    const Found found = find(board, change.player);
    if (found.slot.value >= ranking::kMaxPlayers) {
        return Error{ErrorCode::kBoardFull, "The board holds as many players as it can."};
    }
    const auto& before = found.state.entry;
    if (change.kind == EventKind::kRemove && !before) {
        outcome.seq = board_seq(board);
        return {};
    }

    if (change.kind == EventKind::kTakenBack &&
        (!before || !still_holds(*change.take_back, record, found.slot, found.state.last_seq))) {
        outcome.seq = board_seq(board);
        outcome.stale = true;
        return {};
    }

    ranking::Decision decision{ranking::Outcome::kRemoved, {}};
    const ranking::Submission submission{change.scores, change.occurred_at};
    if (change.kind == EventKind::kSubmit) {
        if (const auto within = check_limits(record.config, change.scores); !within) {
            return within.error();
        }
        auto decided = ranking::evaluate(record.config.rules, before, submission, next_seq_, now_);
        if (!decided) return decided.error();
        decision = *decided;
    } else if (change.kind == EventKind::kSet) {
        decision = ranking::set_exactly(before, submission, next_seq_, now_);
    } else if (change.kind == EventKind::kTakenBack) {
        decision = decide(*change.take_back, *before, next_seq_);
    }

    Pending after{.entry = {}, .last_seq = next_seq_, .details = found.state.details};
    if (decision.outcome == ranking::Outcome::kRemoved) {
        if (before->has_details) {
            drop_details({record.ranking, found.slot}, change.player, after);
        }
    } else {
        after.entry = decision.after;
        after.entry->has_details = before && before->has_details;
        if (const auto noted = note_details(change, found, after); !noted) {
            return noted.error();
        }
    }

    const base::Sequence seq = next_seq_;
    const bool carries_key = operation.key && events_.size() == first_event_;
    next_seq_ = {seq.value + 1};
    events_.push_back({.seq = seq,
                       .board = board.id(),
                       .ranking = record.ranking,
                       .slot = found.slot,
                       .kind = change.kind,
                       .outcome = decision.outcome,
                       .columns = static_cast<std::uint8_t>(record.config.rules.columns.size()),
                       .had_entry = before.has_value(),
                       .rules_version = record.revision,
                       .input = change.scores,
                       .previous = before ? before->scores : ranking::Scores{},
                       .result = decision.after.scores,
                       .prev_seq = found.state.last_seq,
                       .at = now_,
                       .occurred_at = change.occurred_at,
                       .key = carries_key ? operation.key->hash : base::Hash128{},
                       .fingerprint = carries_key ? operation.key->fingerprint : 0});
    if (change.kind == EventKind::kTakenBack) {
        ledger::put_take_back(events_.back(), change.take_back->what);
    }
    if (found.is_new) {
        new_slots_.emplace(PlayerKey{&board, change.player}, found.slot);
        ++new_counts_[&board];
    }
    changes_.push_back({&board, found.slot, found.is_new, change.player, after.entry, seq, false});
    keep({&board, found.slot}, after);

    outcome.outcome = decision.outcome;
    outcome.seq = seq;
    outcome.slot = found.slot;
    outcome.had_entry = before.has_value();
    if (before) {
        outcome.previous = before->scores;
        outcome.previous_reached_seq = before->reached_seq;
    }
    return {};
}

Result<ledger::Details> Batch::present_details(ledger::EntryKey key, std::string_view player,
                                               const Found& found) {
    if (found.state.details) return found.state.details->details;
    if (!found.state.entry || !found.state.entry->has_details) return ledger::Details{};
    if (auto cached = cache_.find(key, player)) return cached->details;
    return ledger_.details(key);
}

Result<void> Batch::note_details(const EntryChange& change, const Found& found, Pending& after) {
    const ledger::EntryKey key{change.board->committed_record().ranking, found.slot};
    if (!found.is_new && !change.name && !change.meta) return {};

    ledger::Details merged;
    if (!found.is_new) {
        auto present = present_details(key, change.player, found);
        if (!present) return present.error();
        merged = *std::move(present);
    }
    const bool new_name = merge(merged.name, change.name);
    const bool new_meta = merge(merged.meta, change.meta);
    if (found.is_new) {
        new_players_.push_back({key, std::string(change.player), merged});
    } else if (new_name || new_meta) {
        ledger::PlayerRecord row{key, {}, {}};
        if (new_name) row.details.name = merged.name.value_or("");
        if (new_meta) row.details.meta = merged.meta.value_or("");
        details_.push_back(std::move(row));
    }
    if (!new_name && !new_meta) return {};

    after.entry->has_details = merged.name || merged.meta;
    after.details = share_details(change.player, std::move(merged));
    new_details_.push_back({key, after.details});
    return {};
}

void Batch::drop_details(ledger::EntryKey key, std::string_view player, Pending& after) {
    details_.push_back({key, {}, {std::string{}, std::string{}}});
    after.details = share_details(player, {});
    new_details_.push_back({key, after.details});
}

const ledger::StreamRecord& Batch::stream_so_far(base::Hash128 key) const {
    static const ledger::StreamRecord kNothing;
    const auto row = stream_rows_.find(key);
    if (row != stream_rows_.end()) return streams_[row->second];
    const auto active = active_streams_.find(key);
    return active == active_streams_.end() ? kNothing : active->second;
}

void Batch::note_progress(EntryOperation& operation) {
    const StreamProgress& progress = *operation.stream;
    if (!stream_rows_.contains(progress.key)) {
        streams_.push_back(ledger::StreamRecord(stream_so_far(progress.key)));
    }
    const auto row = stream_rows_.try_emplace(progress.key, streams_.size() - 1).first;
    ledger::StreamRecord& record = streams_[row->second];
    record.key = progress.key;
    record.lines = progress.lines;
    record.running_hash = progress.running_hash;
    record.rejected += progress.rejected_by_reader;
    record.at = now_;
    record.complete = progress.complete;
    for (const ChangeOutcome& outcome : operation.outcomes) {
        if (outcome.error) {
            ++record.rejected;
        } else {
            ++record.accepted;
            record.seq = outcome.seq;
        }
    }
    operation.stream_after = record;
}

ledger::Batch Batch::rows() const {
    ledger::Batch rows;
    rows.events = events_;
    rows.new_players = new_players_;
    rows.details = details_;
    rows.streams = streams_;
    return rows;
}

Batch::Mark Batch::mark() const {
    return {next_seq_,           events_.size(),  changes_.size(),
            new_players_.size(), details_.size(), new_details_.size()};
}

void Batch::go_back(const Mark& mark) {
    for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
        if (undo->before) {
            pending_[undo->key] = *undo->before;
        } else {
            pending_.erase(undo->key);
        }
    }
    for (std::size_t i = mark.changes; i < changes_.size(); ++i) {
        if (!changes_[i].new_player) continue;
        new_slots_.erase(PlayerKey{changes_[i].board, changes_[i].player});
        --new_counts_[changes_[i].board];
    }
    next_seq_ = mark.next_seq;
    events_.resize(mark.events);
    changes_.resize(mark.changes);
    new_players_.resize(mark.new_players);
    details_.resize(mark.details);
    new_details_.resize(mark.new_details);
}

}  // namespace standings::engine
