// The committer's work on boards and streams: made, changed, reset, removed, begun.
#include <utility>

#include "engine/committer.h"

namespace standings::engine {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using ledger::EventKind;

bool changes_rule(const HostedBoard& board, const ledger::BoardRecord& to) {
    return board.committed_record().config.rules.rule != to.config.rules.rule;
}

}  // namespace

Result<bool> Committer::replay_board(BoardOperation& operation) {
    if (!operation.key) return false;
    index_.expire(clock_.monotonic());
    const auto seq = index_.find(operation.key->hash);
    if (!seq) return false;
    const auto event = ledger_.event(*seq);
    if (!event) return event.error();
    if (!*event || (*event)->fingerprint != operation.key->fingerprint) {
        return Error{ErrorCode::kIdempotencyMismatch,
                     "This Idempotency-Key was used for another request. Use a new key for each "
                     "request, and the same one only to repeat it."};
    }
    operation.board = registry_.find(operation.slug);
    operation.seq = *seq;
    operation.replayed = true;
    if (!operation.board) {
        return Error{ErrorCode::kBoardNotFound,
                     "The board '" + operation.slug + "' was deleted since."};
    }
    return true;
}

Result<void> Committer::plan_board(BoardOperation& operation, ledger::BoardRecord& record,
                                   bool& changed) {
    const base::Instant now = clock_.now();
    const auto board = registry_.find(operation.slug);
    if (operation.kind == EventKind::kBoardCreated) {
        if (board) {
            return Error{ErrorCode::kBoardExists,
                         "There is a board '" + operation.slug + "' already.", "/id"};
        }
        record = {.id = next_board_,
                  .slug = operation.slug,
                  .config = operation.config,
                  .ranking = next_ranking_,
                  .created_at = now,
                  .updated_at = now};
        changed = true;
        return {};
    }
    if (!board) {
        return Error{ErrorCode::kBoardNotFound, "There is no board '" + operation.slug + "'."};
    }
    record = board->committed_record();
    operation.board = board;
    operation.seq = record.seq;
    if (operation.expected_revision && *operation.expected_revision != record.revision) {
        return Error{ErrorCode::kRevisionMismatch,
                     "The board is at revision " + std::to_string(record.revision) + ", not " +
                         std::to_string(*operation.expected_revision) +
                         ". Read it again and repeat your change."};
    }
    changed = true;
    switch (operation.kind) {
        case EventKind::kBoardChanged: {
            const bool new_columns = operation.config.rules.columns != record.config.rules.columns;
            if (new_columns && board->committed_board().size() > 0) {
                return Error{ErrorCode::kBoardNotEmpty,
                             "Columns can change only while the board has no entries. Reset it "
                             "first, or make another board.",
                             "/columns"};
            }
            changed = operation.config != record.config;
            // Rows of the old width end with their ranking.
            if (new_columns) record.ranking = next_ranking_;
            record.config = operation.config;
            break;
        }
        case EventKind::kBoardReset:
            record.ranking = next_ranking_;
            break;
        case EventKind::kBoardClosed:
        case EventKind::kBoardReopened: {
            const bool closed = operation.kind == EventKind::kBoardClosed;
            changed = record.closed != closed;
            record.closed = closed;
            break;
        }
        default:
            break;
    }
    if (changed && operation.kind != EventKind::kBoardReset) {
        ++record.revision;
        record.updated_at = now;
    }
    return {};
}

void Committer::commit_board(BoardOperation& operation) {
    const auto settle = [&]() -> Result<void> {
        const auto replayed = replay_board(operation);
        if (!replayed) return replayed.error();
        if (*replayed) return {};

        ledger::BoardRecord record;
        bool changed = false;
        if (const auto planned = plan_board(operation, record, changed); !planned) {
            return planned.error();
        }
        if (!changed) return {};

        const auto last_seq = begin(std::span(&record.id, 1));
        if (!last_seq) return last_seq.error();
        record.seq = {last_seq->value + 1};
        if (operation.board && changes_rule(*operation.board, record)) {
            record.rule_since = record.seq;
        }
        const ledger::Event event{.seq = record.seq,
                                  .board = record.id,
                                  .ranking = record.ranking,
                                  .kind = operation.kind,
                                  .rules_version = record.revision,
                                  .at = clock_.now(),
                                  .key = operation.key ? operation.key->hash : base::Hash128{},
                                  .fingerprint = operation.key ? operation.key->fingerprint : 0};
        ledger::Batch rows;
        rows.events = std::span(&event, 1);
        const bool deleted = operation.kind == EventKind::kBoardDeleted;
        if (deleted) {
            rows.deleted_boards = std::span(&record.id, 1);
        } else {
            rows.boards = std::span(&record, 1);
        }
        if (const auto finished = finish(rows); !finished) return finished.error();
        if (event.key) index_.add(event.key, event.seq, clock_.monotonic());
        apply_board(operation, record);
        return {};
    };
    if (const auto settled = settle(); !settled) operation.error = settled.error();
}

void Committer::apply_board(BoardOperation& operation, const ledger::BoardRecord& record) {
    const bool is_new_life = record.ranking == next_ranking_;
    if (is_new_life) feed_.begin_life(record.ranking, record.seq);
    if (operation.kind == EventKind::kBoardCreated) {
        operation.board = std::make_shared<HostedBoard>(record, ledger_.state().hash_seed);
        registry_.add(operation.board);
        next_board_ = {record.id.value + 1};
    } else {
        HostedBoard& board = *operation.board;
        const base::RankingId before = board.committed_record().ranking;
        const std::size_t players = board.committed_board().player_count();
        const bool deleted = operation.kind == EventKind::kBoardDeleted;
        std::optional<ranking::Board> old;
        if (deleted) {
            registry_.remove(board);
            board.mark_deleted();
            ledger::BoardRecord empty = record;
            empty.ranking = {0};
            old = board.replace(empty);
        } else {
            old = board.replace(record);
            if (record.ranking != before) registry_.rename_ranking(before, record.ranking);
        }
        if (deleted || record.ranking != before) {
            write_back_.forget(before);
            players_ -= players;
        }
        if (old) {
            feed_.end_life(before);
            reclaimer_.free_later(before, *std::move(old));
        }
        if (deleted) operation.board = nullptr;
    }
    if (is_new_life) next_ranking_ = {next_ranking_.value + 1};
    operation.seq = record.seq;
    feed_.reach(record.seq);
    applied_seq_ = record.seq;
    statistics_.applied_seq = applied_seq_.value;
    statistics_.players = players_;
    statistics_.dirty_entries = write_back_.dirty();
    listener_.on_applied(applied_seq_);
}

void Committer::step_stream(StreamOperation& operation) {
    if (operation.step == StreamOperation::Step::kRelease) {
        active_streams_.erase(operation.key);
        return;
    }
    if (active_streams_.contains(operation.key)) {
        operation.error = Error{ErrorCode::kIdempotencyRunning,
                                "Another connection is sending a stream with this Idempotency-Key. "
                                "Wait until it has ended."};
        return;
    }
    if (index_.find(operation.key)) {
        operation.error = Error{ErrorCode::kIdempotencyMismatch,
                                "This Idempotency-Key was used for another request. Use a new key "
                                "for each stream, and the same one only to repeat it."};
        return;
    }
    auto record = ledger_.stream(operation.key);
    if (!record) {
        operation.error = record.error();
        return;
    }
    operation.record = *record;
    active_streams_[operation.key] = record->value_or(ledger::StreamRecord{});
}

}  // namespace standings::engine
