// The least that uses a ledger rightly: boards, players and entries in maps, batches with
// write-back, and the rebuild at a start. Tests of ledgers compare what it remembers with what a
// ledger gives back.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ledger/ledger.h"
#include "ledger/take_back.h"
#include "ledger/write_back.h"

namespace standings::ledger {

// From STANDINGS_SEED, or a new one. Put it into the message of whatever fails.
inline std::uint64_t test_seed() {
    if (const char* given = std::getenv("STANDINGS_SEED")) {
        return std::strtoull(given, nullptr, 10);
    }
    static const std::uint64_t kSeed = std::random_device{}();
    return kSeed;
}

// What is true now, in the plainest form.
struct TinyState {
    struct Player {
        std::string id;
        Details details;
        std::optional<ranking::Entry> entry;
        base::Sequence last_seq;
        friend bool operator==(const Player&, const Player&) = default;
    };
    std::map<base::BoardId, BoardRecord> boards;
    std::map<EntryKey, Player> players;
    base::Sequence last_seq;
    base::Sequence fold_mark;
    base::BoardId next_board{1};
    base::RankingId next_ranking{1};
    std::map<base::Hash128, StreamRecord> streams;
    friend bool operator==(const TinyState&, const TinyState&) = default;

    bool is_live(base::RankingId ranking) const {
        return std::any_of(boards.begin(), boards.end(),
                           [&](const auto& board) { return board.second.ranking == ranking; });
    }
};

// One event's effect on memory, the same while running and while replaying. The scores are taken
// from the event: no rule is needed.
inline void apply(TinyState::Player& player, const Event& event) {
    player.last_seq = event.seq;
    if (event.kind == EventKind::kRemove) {
        player.entry.reset();
        return;
    }
    if (event.kind == EventKind::kTakenBack) {
        player.entry = take_back_of(event).entry;
        return;
    }
    if (event.kind == EventKind::kDetails) {
        if (player.entry) player.entry->last_seq = event.seq;
        return;
    }
    if (!player.entry || player.entry->scores != event.result) {
        ranking::Entry moved;
        if (player.entry) moved = *player.entry;
        moved.scores = event.result;
        moved.reached_seq = event.seq;
        moved.reached_at = event.at;
        player.entry = moved;
    }
    player.entry->last_seq = event.seq;
    player.entry->occurred_at = event.occurred_at;
    if (event.kind == EventKind::kSubmit) ++player.entry->submissions;
}

// Owner and thread: the test. Every failure is a CHECK, whose message names the line.
class TinyEngine {
  public:
    explicit TinyEngine(std::uint64_t seed) : TinyEngine(seed, WriteBackLimits{}) {}
    TinyEngine(std::uint64_t seed, WriteBackLimits limits)
        : random_(seed), limits_(limits), write_back_(base::Sequence{}, limits) {}

    const TinyState& state() const { return state_; }
    WriteBack& write_back() { return write_back_; }
    std::uint64_t pick(std::uint64_t below) { return random_() % below; }

    // --- building a batch -------------------------------------------------------------------

    base::BoardId create_board(const std::string& slug, const ranking::Rules& rules) {
        BoardRecord board;
        board.id = next_.next_board;
        board.ranking = next_.next_ranking;
        next_.next_board.value += 1;
        next_.next_ranking.value += 1;
        board.slug = slug;
        board.config.title = "The " + slug;
        board.config.rules = rules;
        board.config.limits[0].min = -1'000'000'000;
        board.created_at = board.updated_at = now();
        board.rule_since = next_.last_seq;
        put_board(board, EventKind::kBoardCreated);
        return board.id;
    }

    void reset_board(base::BoardId id) {
        BoardRecord board = next_.boards.at(id);
        forget_players(board.ranking);
        board.ranking = next_.next_ranking;
        next_.next_ranking.value += 1;
        put_board(board, EventKind::kBoardReset);
    }

    void delete_board(base::BoardId id) {
        const BoardRecord board = next_.boards.at(id);
        board_event(board, EventKind::kBoardDeleted);
        forget_players(board.ranking);
        next_.boards.erase(id);
        deleted_boards_.push_back(id);
        std::erase_if(boards_, [&](const BoardRecord& changed) { return changed.id == id; });
    }

    // Sets the player's scores; a new player gets the first free slot.
    void submit(base::BoardId board, const std::string& player, const ranking::Scores& scores,
                base::Hash128 key = {}, EventKind kind = EventKind::kSubmit) {
        Event event = entry_event(board, slot_of(board, player), kind);
        event.input = event.result = scores;
        event.outcome = !event.had_entry                 ? ranking::Outcome::kCreated
                        : event.previous == event.result ? ranking::Outcome::kUnchanged
                                                         : ranking::Outcome::kReplaced;
        event.key = key;
        event.fingerprint = key.low;
        add(event);
    }

    void remove(base::BoardId board, base::PlayerSlot slot) {
        Event event = entry_event(board, slot, EventKind::kRemove);
        event.outcome = ranking::Outcome::kRemoved;
        add(event);
    }

    // Puts the entry back to `entry`, or takes it away, as if submissions had been taken back.
    void take_back(base::BoardId board, base::PlayerSlot slot, const TakeBack& take_back) {
        Event event = entry_event(board, slot, EventKind::kTakenBack);
        put_take_back(event, take_back);
        add(event);
    }

    void rename(base::BoardId board, base::PlayerSlot slot, const Details& change) {
        Event event = entry_event(board, slot, EventKind::kDetails);
        event.input = event.result = event.previous;
        add(event);
        TinyState::Player& player = next_.players.at({event.ranking, slot});
        const auto merge = [](std::optional<std::string>& into,
                              const std::optional<std::string>& from) {
            if (from) into = from->empty() ? std::nullopt : from;
        };
        merge(player.details.name, change.name);
        merge(player.details.meta, change.meta);
        settle_details();
        details_.push_back({{event.ranking, slot}, {}, change});
        settle_details();
    }

    void put_stream(const StreamRecord& stream) {
        next_.streams[stream.key] = stream;
        streams_.push_back(stream);
    }

    // Adds the next write-back slice, and drops tombstones that the fold mark has passed.
    void plan_write_back(std::size_t most) {
        write_back_.plan(most, state_.last_seq, slice_);
        planned_ = true;
        for (const EntryKey& key : slice_.keys) write_back_rows_.push_back(row_of(key));
        if (slice_.fold_mark) next_.fold_mark = *slice_.fold_mark;
        for (auto it = next_.players.begin(); it != next_.players.end();) {
            const auto& [key, player] = *it;
            const auto is_in_batch = [&] {
                const auto before = state_.players.find(key);
                return before == state_.players.end() || before->second.last_seq != player.last_seq;
            };
            if (player.entry || player.last_seq > state_.fold_mark || is_in_batch()) {
                ++it;
                continue;
            }
            dropped_.push_back(key);
            raise_board_seq(key.ranking, player.last_seq);
            it = next_.players.erase(it);
        }
    }

    // --- running it ---------------------------------------------------------------------------

    Batch batch() {
        new_players_.clear();
        for (const EntryKey& key : added_) {
            const auto found = next_.players.find(key);
            if (found == next_.players.end()) continue;
            new_players_.push_back({key, found->second.id, arrived_with_[key]});
        }
        return {.events = events_,
                .new_players = new_players_,
                .details = details_,
                .boards = boards_,
                .deleted_boards = deleted_boards_,
                .streams = streams_,
                .write_back = write_back_rows_,
                .dropped = dropped_,
                .fold_mark = planned_ ? slice_.fold_mark : std::nullopt};
    }

    CommitOutcome commit(Ledger& ledger) {
        CHECK(ledger.begin({}));
        if (!ledger.append(batch())) {
            ledger.roll_back();
            abandon();
            return CommitOutcome::kRolledBack;
        }
        const Committed committed = ledger.commit();
        if (committed.outcome == CommitOutcome::kCommitted) {
            take_over();
        } else {
            abandon();
        }
        return committed.outcome;
    }

    // The batch is durable.
    void take_over() {
        if (planned_) write_back_.committed(slice_);
        for (const auto& [id, board] : state_.boards) {
            if (!next_.is_live(board.ranking)) write_back_.forget(board.ranking);
        }
        for (const Event& event : events_) {
            if (!is_entry_event(event.kind) || !next_.is_live(event.ranking)) continue;
            write_back_.mark({event.ranking, event.slot});
        }
        state_ = next_;
        clear();
    }

    // The batch never was.
    void abandon() {
        next_ = state_;
        clear();
    }

    // Memory as a start makes it from what the ledger holds.
    static TinyState rebuild(Ledger& ledger) {
        TinyState state;
        state.last_seq = ledger.state().last_seq;
        state.fold_mark = ledger.state().fold_mark;
        state.next_board = ledger.state().next_board;
        state.next_ranking = ledger.state().next_ranking;
        const std::vector<BoardRecord> boards = ledger.boards().value();
        for (const BoardRecord& board : boards) state.boards[board.id] = board;

        auto players = ledger.players().value();
        for (PlayerRecord row; players->next(row).value();) {
            CHECK(state.players.empty() || state.players.rbegin()->first < row.key);
            state.players[row.key] = {row.player, row.details, {}, {}};
        }
        auto entries = ledger.entries().value();
        EntryKey before{};
        for (EntryRecord row; entries->next(row).value(); before = row.key) {
            CHECK(before == EntryKey{} || before < row.key);
            TinyState::Player& player = state.players.at(row.key);
            player.last_seq = row.entry.last_seq;
            if (!row.removed) player.entry = row.entry;
        }
        auto events = ledger.events(state.fold_mark).value();
        base::Sequence expected = state.fold_mark;
        for (Event event; events->next(event).value();) {
            CHECK(event.seq.value == ++expected.value);
            const auto board = state.boards.find(event.board);
            if (board != state.boards.end()) {
                board->second.seq = std::max(board->second.seq, event.seq);
            }
            if (!is_entry_event(event.kind)) continue;
            const auto player = state.players.find({event.ranking, event.slot});
            // Of a life of the board that is over.
            if (player == state.players.end()) continue;
            if (event.seq > player->second.last_seq) apply(player->second, event);
        }
        CHECK(expected == state.last_seq);
        // has_details is a fact of the player's row; the entry's copy may be older.
        for (auto& [key, player] : state.players) {
            if (player.entry) {
                player.entry->has_details = player.details.name || player.details.meta;
            }
        }
        for (auto& [id, board] : state.boards) {
            for (const auto& [key, player] : state.players) {
                if (key.ranking == board.ranking) board.seq = std::max(board.seq, player.last_seq);
            }
        }
        return state;
    }

    // CHECKs that the ledger gives back what is remembered.
    void check_against(Ledger& ledger) {
        TinyState found = rebuild(ledger);
        for (const auto& [key, stream] : state_.streams) {
            const auto stored = ledger.stream(key).value();
            if (stored) found.streams[key] = *stored;
        }
        CHECK(found.boards == state_.boards);
        CHECK(found.players == state_.players);
        CHECK(found.streams == state_.streams);
        CHECK(found.fold_mark == state_.fold_mark && found.last_seq == state_.last_seq);
        CHECK(found == state_);
    }

    // After a reopen: nothing is dirty but what replay has changed.
    void restart(Ledger& ledger) {
        abandon();
        check_against(ledger);
        write_back_ = WriteBack(state_.fold_mark, limits_);
        auto events = ledger.events(state_.fold_mark).value();
        for (Event event; events->next(event).value();) {
            if (!is_entry_event(event.kind)) continue;
            const EntryKey key{event.ranking, event.slot};
            if (state_.players.count(key) != 0) write_back_.mark(key);
        }
    }

    // A batch of `size` random operations on boards of different shapes.
    void random_batch(std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) random_operation();
        if (pick(2) == 0) plan_write_back(1 + pick(8));
    }

    const std::vector<Event>& pending_events() const { return events_; }

  private:
    base::Instant now() const {
        return {1'700'000'000'000 + static_cast<std::int64_t>(next_.last_seq.value) * 7};
    }

    void random_operation() {
        const std::uint64_t dice = pick(100);
        if (next_.boards.empty() || (dice == 0 && next_.boards.size() < 5)) {
            ranking::Rules rules;
            rules.columns.resize(1 + pick(ranking::kMaxColumns));
            rules.ties = pick(2) == 0 ? ranking::Ties::kShared : ranking::Ties::kEarliest;
            for (std::size_t i = 0; i < rules.columns.size(); ++i) {
                rules.columns[i].name = "column" + std::to_string(i);
                rules.columns[i].order =
                    pick(2) == 0 ? ranking::Order::kDescending : ranking::Order::kAscending;
                rules.columns[i].decimals = static_cast<std::uint8_t>(pick(7));
            }
            create_board("board-" + std::to_string(next_.next_board.value), rules);
            return;
        }
        auto board = next_.boards.begin();
        std::advance(board, pick(next_.boards.size()));
        const base::BoardId id = board->first;
        if (dice == 1) return reset_board(id);
        if (dice == 2) return delete_board(id);
        if (dice == 3) {
            StreamRecord stream;
            stream.key = {1, 1 + pick(3)};
            stream.lines = pick(1000);
            stream.running_hash = random_();
            stream.seq = next_.last_seq;
            stream.at = now();
            return put_stream(stream);
        }
        const std::optional<base::PlayerSlot> known = pick(30) < 8 ? some_slot(id) : std::nullopt;
        if (known && dice < 20) {
            if (next_.players.at({board->second.ranking, *known}).entry) remove(id, *known);
            return;
        }
        if (known && dice < 30) return random_take_back(id, *known);
        if (known && dice < 50) {
            Details change;
            if (pick(2) == 0) change.name = pick(3) == 0 ? "" : "Ayşe " + std::to_string(pick(9));
            if (pick(2) == 0) change.meta = pick(3) == 0 ? "" : "{\"car\":\"gt3\"}";
            return rename(id, *known, change);
        }
        ranking::Scores scores;
        for (std::size_t i = 0; i < board->second.config.rules.columns.size(); ++i) {
            scores.units[i] = static_cast<std::int64_t>(pick(7)) - 3;
            if (pick(20) == 0) scores.units[i] *= (std::int64_t{1} << 51) - 1;
        }
        const base::Hash128 key =
            pick(3) == 0 ? base::Hash128{random_(), random_()} : base::Hash128{};
        submit(id, "player-" + std::to_string(pick(25)), scores, key,
               pick(8) == 0 ? EventKind::kSet : EventKind::kSubmit);
    }

    // The scores are any: a ledger does not know what the chain would give.
    void random_take_back(base::BoardId board, base::PlayerSlot slot) {
        const TinyState::Player& player = next_.players.at({next_.boards.at(board).ranking, slot});
        if (!player.entry) return;
        TakeBack back{.seq = player.last_seq, .onwards = pick(2) == 0, .entry = {}};
        if (pick(3) != 0) {
            back.entry = player.entry;
            back.entry->scores.units[0] = static_cast<std::int64_t>(pick(7)) - 3;
            back.entry->reached_seq = pick(2) == 0 ? player.last_seq : player.entry->reached_seq;
            back.entry->reached_at.ms -= 1;
            back.entry->submissions = static_cast<std::uint32_t>(pick(9));
        }
        take_back(board, slot, back);
    }

    std::optional<base::PlayerSlot> some_slot(base::BoardId board) {
        const base::RankingId ranking = next_.boards.at(board).ranking;
        std::vector<base::PlayerSlot> slots;
        for (const auto& [key, player] : next_.players) {
            if (key.ranking == ranking) slots.push_back(key.slot);
        }
        if (slots.empty()) return std::nullopt;
        return slots[pick(slots.size())];
    }

    base::PlayerSlot slot_of(base::BoardId board, const std::string& player) {
        const base::RankingId ranking = next_.boards.at(board).ranking;
        for (const auto& [key, known] : next_.players) {
            if (key.ranking != ranking) continue;
            if (known.id == player) return key.slot;
        }
        base::PlayerSlot& free = full_below_[ranking];
        // A slot that is dropped in this very batch is not free yet.
        while (next_.players.count({ranking, free}) != 0 ||
               state_.players.count({ranking, free}) != 0) {
            ++free.value;
        }
        const EntryKey key{ranking, free};
        next_.players[key] = {player, {}, {}, {}};
        if (pick(4) == 0) next_.players[key].details.name = "Name of " + player;
        arrived_with_[key] = next_.players[key].details;
        added_.push_back(key);
        return free;
    }

    Event entry_event(base::BoardId id, base::PlayerSlot slot, EventKind kind) {
        const BoardRecord& board = next_.boards.at(id);
        const TinyState::Player& player = next_.players.at({board.ranking, slot});
        Event event;
        event.seq = {next_.last_seq.value + 1};
        event.board = id;
        event.ranking = board.ranking;
        event.slot = slot;
        event.kind = kind;
        event.columns = static_cast<std::uint8_t>(board.config.rules.columns.size());
        event.had_entry = player.entry.has_value();
        if (player.entry) event.previous = player.entry->scores;
        event.rules_version = board.revision;
        event.prev_seq = player.last_seq;
        event.at = now();
        if (pick(3) == 0) event.occurred_at = {event.at.ms - 1000};
        return event;
    }

    void add(const Event& event) {
        next_.last_seq = event.seq;
        next_.boards.at(event.board).seq = event.seq;
        TinyState::Player& player = next_.players.at({event.ranking, event.slot});
        apply(player, event);
        events_.push_back(event);
        settle_details();
    }

    void settle_details() {
        for (auto& [key, player] : next_.players) {
            if (player.entry) {
                player.entry->has_details = player.details.name || player.details.meta;
            }
        }
    }

    void board_event(const BoardRecord& board, EventKind kind) {
        Event event;
        event.seq = {next_.last_seq.value + 1};
        event.board = board.id;
        event.ranking = board.ranking;
        event.kind = kind;
        event.at = now();
        next_.last_seq = event.seq;
        events_.push_back(event);
    }

    void put_board(BoardRecord board, EventKind kind) {
        board_event(board, kind);
        board.seq = next_.last_seq;
        next_.boards[board.id] = board;
        std::erase_if(boards_, [&](const BoardRecord& changed) { return changed.id == board.id; });
        boards_.push_back(board);
    }

    void forget_players(base::RankingId ranking) {
        std::erase_if(next_.players,
                      [&](const auto& player) { return player.first.ranking == ranking; });
        std::erase_if(details_,
                      [&](const PlayerRecord& change) { return change.key.ranking == ranking; });
    }

    void raise_board_seq(base::RankingId ranking, base::Sequence seq) {
        for (auto& [id, board] : next_.boards) {
            if (board.ranking == ranking) board.seq = std::max(board.seq, seq);
        }
    }

    EntryRecord row_of(EntryKey key) {
        const TinyState::Player& player = state_.players.at(key);
        EntryRecord row;
        row.key = key;
        row.removed = !player.entry;
        for (const auto& [id, board] : state_.boards) {
            if (board.ranking == key.ranking) {
                row.columns = static_cast<std::uint8_t>(board.config.rules.columns.size());
            }
        }
        if (player.entry) row.entry = *player.entry;
        row.entry.last_seq = player.last_seq;
        return row;
    }

    void clear() {
        events_.clear();
        added_.clear();
        full_below_.clear();
        arrived_with_.clear();
        details_.clear();
        boards_.clear();
        deleted_boards_.clear();
        streams_.clear();
        write_back_rows_.clear();
        dropped_.clear();
        planned_ = false;
    }

    std::mt19937_64 random_;
    WriteBackLimits limits_;
    WriteBack write_back_;
    TinyState state_;  // committed
    TinyState next_;   // with the batch that is being built

    std::vector<Event> events_;
    std::vector<EntryKey> added_;
    std::map<base::RankingId, base::PlayerSlot> full_below_;  // within the batch, no slot gets free
    std::map<EntryKey, Details> arrived_with_;
    std::vector<PlayerRecord> new_players_;
    std::vector<PlayerRecord> details_;
    std::vector<BoardRecord> boards_;
    std::vector<base::BoardId> deleted_boards_;
    std::vector<StreamRecord> streams_;
    std::vector<EntryRecord> write_back_rows_;
    std::vector<EntryKey> dropped_;
    WriteBackSlice slice_;
    bool planned_ = false;
};

}  // namespace standings::ledger
