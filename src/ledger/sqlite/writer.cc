#include "ledger/sqlite/writer.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "ledger/rows.h"
#include "ledger/sqlite/row_codec.h"

namespace standings::ledger::sqlite {

using base::Result;

namespace {

// Ids that were used once are not given again.
void give_ids(base::BoardId board, base::RankingId ranking, Staged& staged) {
    StateRow& state = staged.state;
    if (board < state.next_board && ranking < state.next_ranking) return;
    state.next_board = std::max(state.next_board, base::BoardId{board.value + 1});
    state.next_ranking = std::max(state.next_ranking, base::RankingId{ranking.value + 1});
    staged.state_changed = true;
}

}  // namespace

Result<Writer> Writer::prepare(Connection& connection) {
    Writer writer;
    auto boards = BoardTable::prepare(connection);
    if (!boards) return boards.error();
    writer.boards_ = *std::move(boards);
    const std::pair<Statement*, std::string_view> statements[] = {
        {&writer.insert_event_, kInsertEvent},
        {&writer.put_entry_, kPutEntry},
        {&writer.put_player_, kPutPlayer},
        {&writer.put_stream_, kPutStream},
        {&writer.entry_seq_, "SELECT last_seq FROM entry WHERE ranking = ?1 AND slot = ?2"},
        {&writer.drop_entry_, "DELETE FROM entry WHERE ranking = ?1 AND slot = ?2"},
        {&writer.drop_player_, "DELETE FROM player WHERE ranking = ?1 AND slot = ?2"},
        {&writer.leave_ranking_, "INSERT OR IGNORE INTO old_ranking VALUES (?1)"},
    };
    for (const auto& [out, sql] : statements) {
        auto statement = connection.prepare(sql);
        if (!statement) return statement.error();
        *out = *std::move(statement);
    }
    return writer;
}

// Dropped tombstones and deleted boards go first: a new player may come into the slot, a new board
// may take the slug.
Result<void> Writer::write(const Batch& batch, PointReads& reads, Staged& staged) {
    if (auto done = drop(batch); !done) return done;
    if (auto done = write_events(batch, staged); !done) return done;
    for (const PlayerRecord& player : batch.new_players) {
        bind_player(put_player_, player);
        if (auto done = put_player_.run(); !done) return done;
    }
    if (auto done = write_details(batch, reads); !done) return done;
    for (const EntryRecord& entry : batch.write_back) {
        const EntryRecord record = canonical(entry);
        bind_entry(put_entry_, record);
        if (auto done = put_entry_.run(); !done) return done;
    }
    if (auto done = write_boards(batch, staged); !done) return done;
    for (const StreamRecord& stream : batch.streams) {
        const KeyBytes key = key_bytes(stream.key);
        bind_stream(put_stream_, stream, key);
        if (auto done = put_stream_.run(); !done) return done;
    }
    if (batch.fold_mark) {
        CHECK(*batch.fold_mark >= staged.state.fold_mark && *batch.fold_mark <= staged.tip.seq);
        staged.state.fold_mark = *batch.fold_mark;
        staged.state_changed = true;
    }
    return {};
}

Result<void> Writer::write_events(const Batch& batch, Staged& staged) {
    for (const Event& given : batch.events) {
        CHECK(given.seq.value == staged.tip.seq.value + 1);
        const Event event = canonical(given);
        const KeyBytes key = key_bytes(event.key);
        const std::uint32_t crc = checksum(event);
        const std::uint64_t chain = base::chain_after(staged.tip.chain, crc);
        bind_event(insert_event_, event, key, crc, chain, staged.tip.keyed);
        if (auto done = insert_event_.run(); !done) return done;
        staged.tip.seq = event.seq;
        staged.tip.chain = chain;
        if (event.key) staged.tip.keyed = event.seq;
        // A board may come and go within one batch: then only its events tell its ids.
        give_ids(event.board, event.ranking, staged);
    }
    return {};
}

Result<void> Writer::write_details(const Batch& batch, PointReads& reads) {
    const auto merge = [](std::optional<std::string>& into,
                          const std::optional<std::string>& change) {
        if (!change) return;
        if (change->empty()) {
            into.reset();
        } else {
            into = change;
        }
    };
    for (const PlayerRecord& change : batch.details) {
        auto stored = reads.player(change.key);
        if (!stored) return stored.error();
        if (!*stored) return damaged_entry("player", change.key);
        merge((*stored)->details.name, change.details.name);
        merge((*stored)->details.meta, change.details.meta);
        bind_player(put_player_, **stored);
        if (auto done = put_player_.run(); !done) return done;
    }
    return {};
}

Result<void> Writer::write_boards(const Batch& batch, Staged& staged) {
    for (const base::BoardId id : batch.deleted_boards) {
        const auto stored = boards_.find(id);
        if (!stored) return stored.error();
        if (!*stored) continue;
        if (auto done = leave((*stored)->ranking, staged); !done) return done;
        if (auto done = boards_.erase(id); !done) return done;
    }
    for (const BoardRecord& board : batch.boards) {
        const auto stored = boards_.find(board.id);
        if (!stored) return stored.error();
        if (*stored && (*stored)->ranking != board.ranking) {
            if (auto done = leave((*stored)->ranking, staged); !done) return done;
        }
        if (auto done = boards_.put(board); !done) return done;
        give_ids(board.id, board.ranking, staged);
    }
    return {};
}

// With the tombstone goes the only row that knew of the removal. Its seq moves into the board's
// row, so that the board's seq never goes back over a restart.
Result<void> Writer::drop(const Batch& batch) {
    std::map<base::RankingId, base::Sequence> newest;
    for (const EntryKey& key : batch.dropped) {
        entry_seq_.bind(1, key.ranking.value);
        entry_seq_.bind(2, key.slot.value);
        {
            const ResetLater reset(entry_seq_);
            const auto found = entry_seq_.step();
            if (!found) return found.error();
            if (*found) {
                const base::Sequence seq{static_cast<std::uint64_t>(entry_seq_.number(0))};
                newest[key.ranking] = std::max(newest[key.ranking], seq);
            }
        }
        for (Statement* statement : {&drop_entry_, &drop_player_}) {
            statement->bind(1, key.ranking.value);
            statement->bind(2, key.slot.value);
            if (auto done = statement->run(); !done) return done;
        }
    }
    for (const auto& [ranking, seq] : newest) {
        auto board = boards_.find_ranking(ranking);
        if (!board) return board.error();
        if (!*board || (*board)->seq >= seq) continue;
        (*board)->seq = seq;
        if (auto done = boards_.put(**board); !done) return done;
    }
    return {};
}

Result<void> Writer::leave(base::RankingId ranking, Staged& staged) {
    leave_ranking_.bind(1, ranking.value);
    staged.left_rankings.push_back(ranking);
    return leave_ranking_.run();
}

}  // namespace standings::ledger::sqlite
