#include "engine/loader.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/fold.h"
#include "ledger/event_age.h"

namespace standings::engine {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using Boards = std::unordered_map<base::BoardId, HostedBoard*>;

// A cursor with its present row and the first error it met, for pull loops inside pull loops.
template <class Row>
class Reading {
  public:
    explicit Reading(ledger::Cursor<Row>& cursor) : cursor_(cursor) { advance(); }

    bool at_end() const { return !has_row_; }
    const Row& row() const { return row_; }
    void advance() {
        auto more = cursor_.next(row_);
        if (!more) error_ = more.error();
        has_row_ = more && *more;
    }
    const std::optional<Error>& error() const { return error_; }

  private:
    ledger::Cursor<Row>& cursor_;
    Row row_;
    bool has_row_ = false;
    std::optional<Error> error_;
};

// Rows that are whole, each, and contradict each other.
Error disagrees(const std::string& what) {
    return {ErrorCode::kIntegrity, what + ". Restore a backup."};
}

struct LoadedPlayers {
    std::uint64_t count = 0;
    // By slot: a name or meta is stored. Replay needs it, since the events do not hold them.
    std::unordered_map<base::RankingId, std::vector<bool>> has_details;
};

Result<LoadedPlayers> load_players(ledger::Cursor<ledger::PlayerRecord>& cursor,
                                   const Registry& registry) {
    Reading<ledger::PlayerRecord> rows(cursor);
    LoadedPlayers loaded;
    while (!rows.at_end()) {
        const base::RankingId ranking = rows.row().key.ranking;
        HostedBoard* board = registry.find(ranking);
        if (board == nullptr) {  // of a life that has ended; upkeep deletes it
            rows.advance();
            continue;
        }
        std::vector<bool>& has_details = loaded.has_details[ranking];
        bool first = true;
        const auto next = [&](base::PlayerSlot& slot, std::string_view& player) {
            if (!std::exchange(first, false)) rows.advance();
            if (rows.at_end() || rows.row().key.ranking != ranking) return false;
            const ledger::PlayerRecord& row = rows.row();
            slot = row.key.slot;
            player = row.player;
            has_details.resize(slot.value + 1);
            has_details[slot.value] = row.details.name || row.details.meta;
            ++loaded.count;
            return true;
        };
        if (const auto twice = board->loading_board().load_players(next)) {
            return disagrees("the board '" + board->slug() +
                             "' has the same player twice, one time at slot " +
                             std::to_string(twice->value));
        }
    }
    if (rows.error()) return *rows.error();
    return loaded;
}

struct LoadedEntries {
    std::deque<Tombstone> tombstones;
    std::unordered_map<base::RankingId, base::Sequence> newest;
};

Result<LoadedEntries> load_entries(ledger::Cursor<ledger::EntryRecord>& cursor,
                                   const Registry& registry) {
    Reading<ledger::EntryRecord> rows(cursor);
    LoadedEntries loaded;
    while (!rows.at_end()) {
        const base::RankingId ranking = rows.row().key.ranking;
        HostedBoard* hosted = registry.find(ranking);
        if (hosted == nullptr) {
            rows.advance();
            continue;
        }
        ranking::Board& board = hosted->loading_board();
        const ledger::BoardRecord& record = hosted->committed_record();
        base::Sequence& newest = loaded.newest[ranking];
        bool first = true;
        std::optional<base::PlayerSlot> wrong_columns;
        board.load_entries([&](ranking::SlotEntry& out) {
            if (!std::exchange(first, false)) rows.advance();
            for (; !rows.at_end() && rows.row().key.ranking == ranking; rows.advance()) {
                const ledger::EntryRecord& row = rows.row();
                if (!row.removed && row.columns != record.config.rules.columns.size()) {
                    wrong_columns = row.key.slot;
                    return false;
                }
                newest = std::max(newest, row.entry.last_seq);
                if (row.removed) {
                    board.load_removed(row.key.slot, row.entry.last_seq);
                    loaded.tombstones.push_back({row.key, row.entry.last_seq});
                    continue;
                }
                out = {row.key.slot, *fold_state(record, row).entry};
                return true;
            }
            return false;
        });
        if (wrong_columns) {
            return disagrees("an entry of the board '" + hosted->slug() +
                             "' has other columns than its board, at slot " +
                             std::to_string(wrong_columns->value));
        }
    }
    if (rows.error()) return *rows.error();
    return loaded;
}

// Events know the wall clock only, which may have been set between two of them, or before this
// start: EventAge says what of it counts.
Result<IdempotencyIndex> load_keys(ledger::Ledger& ledger, const base::Clock& clock,
                                   const LoadOptions& options) {
    IdempotencyIndex index(options.idempotency_keys, options.idempotency_window);
    auto cursor = ledger.keyed_events(options.idempotency_window, options.idempotency_keys);
    if (!cursor) return cursor.error();
    Reading<ledger::Event> rows(**cursor);
    const ledger::EventAge age(options.idempotency_window);
    std::optional<base::Instant> before;
    base::Monotonic since_first{0};
    for (; !rows.at_end(); rows.advance()) {
        const base::Instant at = rows.row().at;
        if (before) since_first += age.step(*before, at);
        before = at;
        index.add(rows.row().key, rows.row().seq, since_first);
    }
    if (rows.error()) return *rows.error();
    if (before) since_first += age.step(*before, clock.now());
    index.shift(clock.monotonic() - since_first);
    return index;
}

// Every player has an event, every entry a player: rows that are missing altogether have no
// checksum to tell of them.
Result<void> check_rows(const Boards& boards) {
    for (const auto& [id, board] : boards) {
        const auto slot = board->loading_board().find_mismatch();
        if (!slot) continue;
        return disagrees("the board '" + board->slug() +
                         "' has a player without an entry, or an entry without a player, at slot " +
                         std::to_string(slot->value));
    }
    return {};
}

// Applies events beyond the fold mark to what the rows hold.
class Replay {
  public:
    Replay(Boards& boards, const LoadedPlayers& players, ledger::WriteBack& write_back,
           std::deque<Tombstone>& tombstones)
        : boards_(boards), players_(players), write_back_(write_back), tombstones_(tombstones) {}

    Result<void> apply(const ledger::Event& event) {
        const auto found = boards_.find(event.board);
        if (found == boards_.end()) return {};  // deleted since
        ledger::BoardRecord& record = found->second->loading_record();
        record.seq = std::max(record.seq, event.seq);
        const bool present_life = event.ranking == record.ranking;
        if (!present_life || !is_entry_event(event.kind)) return {};

        ranking::Board& board = found->second->loading_board();
        if (!board.has_player(event.slot)) {
            return event_disagrees(event, "its player has no row");
        }
        FoldState state{board.entry(event.slot), board.last_seq(event.slot)};
        const auto folded = fold(record, event, state);
        if (!folded) return folded.error();
        if (!*folded) return {};
        write_back_.mark({event.ranking, event.slot});
        if (state.entry) {
            state.entry->has_details = players_.has_details.at(event.ranking).at(event.slot.value);
            board.put(event.slot, *state.entry);
        } else {
            board.remove(event.slot, event.seq);
            tombstones_.push_back({{event.ranking, event.slot}, event.seq});
        }
        return {};
    }

  private:
    Boards& boards_;
    const LoadedPlayers& players_;
    ledger::WriteBack& write_back_;
    std::deque<Tombstone>& tombstones_;
};

}  // namespace

Result<CommitterStart> load(ledger::Ledger& ledger, Registry& registry, const base::Clock& clock,
                            const LoadOptions& options) {
    const auto records = ledger.boards();
    if (!records) return records.error().with_context("load boards");
    Boards boards;
    for (const ledger::BoardRecord& record : *records) {
        if (registry.find(record.slug) || registry.find(record.ranking) != nullptr) {
            return disagrees("there are two boards '" + record.slug +
                             "', or two with the same rows");
        }
        auto board = std::make_shared<HostedBoard>(record, ledger.state().hash_seed);
        boards.emplace(record.id, board.get());
        registry.add(std::move(board));
    }

    // Opened here, on the ledger's own thread; read by one thread each.
    auto player_rows = ledger.players();
    if (!player_rows) return player_rows.error().with_context("load players");
    auto entry_rows = ledger.entries();
    if (!entry_rows) return entry_rows.error().with_context("load entries");

    std::optional<Result<LoadedPlayers>> players;
    std::optional<Result<LoadedEntries>> entries;
    std::optional<Result<IdempotencyIndex>> keys;
    {
        std::thread read_players([&] { players.emplace(load_players(**player_rows, registry)); });
        std::thread read_keys([&] { keys.emplace(load_keys(ledger, clock, options)); });
        entries.emplace(load_entries(**entry_rows, registry));
        read_players.join();
        read_keys.join();
    }
    if (!*players) return players->error().with_context("load players");
    if (!*entries) return entries->error().with_context("load entries");
    if (!*keys) return keys->error().with_context("load idempotency keys");

    LoadedEntries& loaded = **entries;
    for (const auto& [ranking, newest] : loaded.newest) {
        base::Sequence& seq = registry.find(ranking)->loading_record().seq;
        seq = std::max(seq, newest);
    }
    std::sort(loaded.tombstones.begin(), loaded.tombstones.end(),
              [](const Tombstone& a, const Tombstone& b) { return a.seq < b.seq; });

    CommitterStart start{
        .index = *std::move(*keys),
        .write_back = ledger::WriteBack(ledger.state().fold_mark, options.write_back),
        .tombstones = std::move(loaded.tombstones),
        .players = (**players).count};
    Replay replay(boards, **players, start.write_back, start.tombstones);
    auto events = ledger.events(ledger.state().fold_mark);
    if (!events) return events.error().with_context("replay events");
    Reading<ledger::Event> rows(**events);
    for (; !rows.at_end(); rows.advance()) {
        if (const auto applied = replay.apply(rows.row()); !applied) return applied.error();
    }
    if (rows.error()) return rows.error()->with_context("replay events");
    if (const auto whole = check_rows(boards); !whole) return whole.error();
    return start;
}

}  // namespace standings::engine
