// The obvious slow version of the engine: maps, sorted when asked. It is told what the committer
// evaluated, in that order, and foretells every outcome.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine_harness.h"

namespace standings::engine {

struct ModelPlayer {
    ranking::Entry entry;
    ledger::Details details;
};

struct ModelBoard {
    std::string slug;
    ledger::BoardConfig config;
    bool closed = false;
    std::uint32_t revision = 1;
    base::Sequence seq;
    base::Instant created_at;
    base::Instant updated_at;
    std::uint32_t columns_version = 0;  // counted since the start of the engine
    std::map<std::string, ModelPlayer, std::less<>> players;

    // Players in order of rank.
    std::vector<std::pair<std::string, base::Rank>> order() const {
        std::vector<std::pair<std::string, const ranking::Entry*>> all;
        for (const auto& [id, player] : players) all.emplace_back(id, &player.entry);
        std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
            const int by_scores =
                ranking::compare(config.rules, a.second->scores, b.second->scores);
            return by_scores != 0 ? by_scores < 0 : a.second->reached_seq < b.second->reached_seq;
        });
        std::vector<std::pair<std::string, base::Rank>> ranked;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const bool shared = i > 0 && config.rules.ties == ranking::Ties::kShared &&
                                all[i].second->scores == all[i - 1].second->scores;
            ranked.emplace_back(all[i].first, shared
                                                  ? ranked.back().second
                                                  : base::Rank{static_cast<std::uint32_t>(i + 1)});
        }
        return ranked;
    }
};

// What an operation should answer.
struct Foretold {
    std::optional<base::ErrorCode> error;
    bool replayed = false;
    bool emits = false;  // needs a commit
    std::vector<ChangeOutcome> outcomes;
    std::optional<ledger::StreamRecord> stream_after;
    base::Sequence seq;  // of a step of a board
};

class EngineModel {
  public:
    base::Sequence last_seq;
    // Boards by an identity that outlives their slugs.
    std::map<int, ModelBoard> boards;
    std::map<base::Hash128, ledger::StreamRecord> streams;
    std::set<base::Hash128> open_streams;

    int find(std::string_view slug) const {
        for (const auto& [id, board] : boards) {
            if (board.slug == slug) return id;
        }
        return -1;
    }

    // A new delivery: keys that were used in it are still under way.
    void begin_group() { keys_in_group_.clear(); }

    Foretold run(const EntryOperation& operation, int board_id, base::Instant now) {
        if (operation.key) {
            if (auto early = replay(*operation.key)) return *std::move(early);
        }
        if (operation.stream) {
            const auto known = streams.find(operation.stream->key);
            const std::uint64_t lines = known == streams.end() ? 0 : known->second.lines;
            if (operation.stream->lines_before != lines) {
                Foretold refused;
                refused.error = base::ErrorCode::kOverloaded;
                return refused;
            }
        }
        const EngineModel before = operation.atomic ? *this : EngineModel();
        Foretold foretold;
        for (const EntryChange& change : operation.changes) {
            ChangeOutcome outcome;
            const auto error = apply(operation, change, board_id, now, outcome, foretold.emits);
            if (error && operation.atomic) {
                *this = before;
                foretold = {};
                foretold.error = error;
                return foretold;
            }
            if (error) outcome.error = base::Error{*error, ""};
            foretold.outcomes.push_back(outcome);
        }
        if (operation.key) {
            keys_in_group_.insert(operation.key->hash);
            if (foretold.emits) {
                used_[operation.key->hash] = {operation.key->fingerprint, foretold.outcomes, {}};
            }
        }
        if (operation.stream) {
            foretold.stream_after = note(*operation.stream, foretold.outcomes, now);
            foretold.emits = true;
        }
        return foretold;
    }

    Foretold run(const BoardOperation& operation, base::Instant now, int new_id) {
        Foretold foretold;
        if (operation.key) {
            const auto used = used_.find(operation.key->hash);
            if (used != used_.end()) {
                foretold.seq = used->second.seq;
                foretold.replayed = used->second.fingerprint == operation.key->fingerprint;
                if (!foretold.replayed) foretold.error = base::ErrorCode::kIdempotencyMismatch;
                if (foretold.replayed && find(operation.slug) < 0) {
                    foretold.error = base::ErrorCode::kBoardNotFound;
                }
                return foretold;
            }
        }
        const int id = find(operation.slug);
        using ledger::EventKind;
        if (operation.kind == EventKind::kBoardCreated) {
            if (id >= 0) {
                foretold.error = base::ErrorCode::kBoardExists;
                return foretold;
            }
            ModelBoard board;
            board.slug = operation.slug;
            board.config = operation.config;
            board.created_at = board.updated_at = now;
            boards[new_id] = board;
            return changed(operation, boards[new_id], foretold);
        }
        if (id < 0) {
            foretold.error = base::ErrorCode::kBoardNotFound;
            return foretold;
        }
        ModelBoard& board = boards[id];
        foretold.seq = board.seq;
        switch (operation.kind) {
            case EventKind::kBoardChanged: {
                const bool columns = operation.config.rules.columns != board.config.rules.columns;
                if (columns && !board.players.empty()) {
                    foretold.error = base::ErrorCode::kBoardNotEmpty;
                    return foretold;
                }
                if (operation.config == board.config) return foretold;
                if (columns) ++board.columns_version;
                if (operation.config.rules.rule != ranking::Rule::kLast) {
                    for (auto& [player, state] : board.players) {
                        state.entry.occurred_at = base::kNever;
                    }
                }
                board.config = operation.config;
                break;
            }
            case EventKind::kBoardReset:
                board.players.clear();
                return changed(operation, board, foretold);
            case EventKind::kBoardDeleted:
                boards.erase(id);
                last_seq.value += 1;
                foretold.seq = last_seq;
                foretold.emits = true;
                remember(operation, foretold);
                return foretold;
            default: {
                const bool closed = operation.kind == EventKind::kBoardClosed;
                if (board.closed == closed) return foretold;
                board.closed = closed;
            }
        }
        ++board.revision;
        board.updated_at = now;
        return changed(operation, board, foretold);
    }

    Foretold run(StreamOperation& operation) {
        Foretold foretold;
        if (operation.step == StreamOperation::Step::kRelease) {
            open_streams.erase(operation.key);
        } else if (!open_streams.insert(operation.key).second) {
            foretold.error = base::ErrorCode::kIdempotencyRunning;
        }
        return foretold;
    }

    // What a new start forgets.
    void restarted() {
        open_streams.clear();
        for (auto& [id, board] : boards) board.columns_version = 0;
    }

  private:
    struct Used {
        std::uint64_t fingerprint;
        std::vector<ChangeOutcome> outcomes;
        base::Sequence seq;
    };

    std::optional<Foretold> replay(const RequestKey& key) {
        Foretold foretold;
        if (keys_in_group_.contains(key.hash)) {
            foretold.error = base::ErrorCode::kIdempotencyRunning;
            return foretold;
        }
        const auto used = used_.find(key.hash);
        if (used == used_.end()) return std::nullopt;
        if (used->second.fingerprint != key.fingerprint) {
            foretold.error = base::ErrorCode::kIdempotencyMismatch;
            return foretold;
        }
        foretold.replayed = true;
        foretold.outcomes = used->second.outcomes;
        return foretold;
    }

    std::optional<base::ErrorCode> apply(const EntryOperation& operation, const EntryChange& change,
                                         int board_id, base::Instant now, ChangeOutcome& outcome,
                                         bool& emits) {
        using ledger::EventKind;
        const auto found = boards.find(board_id);
        if (found == boards.end()) return base::ErrorCode::kBoardNotFound;
        ModelBoard& board = found->second;
        if (operation.columns_version != board.columns_version) {
            return base::ErrorCode::kRevisionMismatch;
        }
        const bool removal = change.kind == EventKind::kRemove;
        if (board.closed && !removal) return base::ErrorCode::kBoardClosed;
        const auto player = board.players.find(change.player);
        const bool known = player != board.players.end();
        if (removal && !known) {
            outcome.seq = board.seq;
            return {};
        }
        const base::Sequence seq{last_seq.value + 1};
        std::optional<ranking::Entry> before;
        if (known) before = player->second.entry;
        ranking::Decision decision{ranking::Outcome::kRemoved, {}};
        const ranking::Submission submission{change.scores, change.occurred_at};
        if (change.kind == EventKind::kSet) {
            decision = ranking::set_exactly(before, submission, seq, now);
        } else if (!removal) {
            for (std::size_t i = 0; i < board.config.rules.columns.size(); ++i) {
                const auto& limit = board.config.limits[i];
                const std::int64_t units = change.scores.units[i];
                if ((limit.min && units < *limit.min) || (limit.max && units > *limit.max)) {
                    return base::ErrorCode::kInvalid;
                }
            }
            const auto decided =
                ranking::evaluate(board.config.rules, before, submission, seq, now);
            if (!decided) return decided.error().code;
            decision = *decided;
        }
        outcome.outcome = decision.outcome;
        outcome.seq = last_seq = board.seq = seq;
        outcome.had_entry = known;
        if (known) outcome.previous = before->scores;
        emits = true;
        if (removal) {
            board.players.erase(player);
            return {};
        }
        ModelPlayer& state = board.players[std::string(change.player)];
        state.entry = decision.after;
        if (board.config.rules.rule != ranking::Rule::kLast) {
            state.entry.occurred_at = base::kNever;
        }
        const auto merge = [](std::optional<std::string>& into, const auto& text) {
            if (!text) return;
            into.reset();
            if (!text->empty()) into = std::string(*text);
        };
        merge(state.details.name, change.name);
        merge(state.details.meta, change.meta);
        state.entry.has_details = state.details.name || state.details.meta;
        return {};
    }

    ledger::StreamRecord note(const StreamProgress& progress,
                              const std::vector<ChangeOutcome>& outcomes, base::Instant now) {
        ledger::StreamRecord& record = streams[progress.key];
        record.key = progress.key;
        record.lines = progress.lines;
        record.running_hash = progress.running_hash;
        record.rejected += progress.rejected_by_reader;
        record.at = now;
        record.complete = progress.complete;
        for (const ChangeOutcome& outcome : outcomes) {
            if (outcome.error) {
                ++record.rejected;
            } else {
                ++record.accepted;
                record.seq = outcome.seq;
            }
        }
        return record;
    }

    void remember(const BoardOperation& operation, const Foretold& foretold) {
        if (!operation.key) return;
        used_[operation.key->hash] = {operation.key->fingerprint, {}, foretold.seq};
    }

    Foretold changed(const BoardOperation& operation, ModelBoard& board, Foretold& foretold) {
        last_seq.value += 1;
        board.seq = foretold.seq = last_seq;
        foretold.emits = true;
        remember(operation, foretold);
        return foretold;
    }

    std::map<base::Hash128, Used> used_;
    std::set<base::Hash128> keys_in_group_;
};

}  // namespace standings::engine
