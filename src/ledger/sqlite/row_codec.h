// Between records and rows. Each kind of row has its SELECT list here, the INSERT for it, and a
// function each way. Reading verifies the row's checksum, and that the record is possible (rows.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "ledger/records.h"
#include "ledger/sqlite/connection.h"

namespace standings::ledger::sqlite {

// An event with what only its row has.
struct EventRow {
    Event event;
    std::uint32_t crc = 0;
    std::uint64_t chain = 0;
};

inline constexpr std::string_view kEventColumns =
    "seq, at, key, board, ranking, slot, kind, outcome, rules_version, columns, had_entry,"
    " input_1, input_2, input_3, input_4, previous_1, previous_2, previous_3, previous_4,"
    " result_1, result_2, result_3, result_4, prev_seq, occurred_at, fingerprint, crc, chain";
inline constexpr std::string_view kInsertEvent =
    "INSERT INTO event VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,"
    "?20,?21,?22,?23,?24,?25,?26,?27,?28,?29)";

inline constexpr std::string_view kEntryColumns =
    "ranking, slot, removed, score_1, score_2, score_3, score_4, reached_seq, last_seq, reached_at,"
    " occurred_at, submissions, has_details, crc";
// A REPLACE of a WITHOUT ROWID table without further indexes is a single b-tree insert.
inline constexpr std::string_view kPutEntry =
    "REPLACE INTO entry VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)";

inline constexpr std::string_view kPlayerColumns = "ranking, slot, id, name, meta, crc";
inline constexpr std::string_view kPutPlayer = "REPLACE INTO player VALUES (?1,?2,?3,?4,?5,?6)";

inline constexpr std::string_view kStreamColumns =
    "key, lines, running_hash, accepted, rejected, seq, at, complete, crc";
inline constexpr std::string_view kPutStream =
    "REPLACE INTO stream VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)";

inline constexpr std::string_view kBoardColumns =
    "id, slug, title, rule, ties, visibility, public_meta, closed, ranking, revision, created_at,"
    " updated_at, seq, rule_since, crc";
// Not a REPLACE: a slug that another board has must fail, not delete that board.
inline constexpr std::string_view kPutBoard =
    "INSERT INTO board VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)"
    " ON CONFLICT (id) DO UPDATE SET slug=?2, title=?3, rule=?4, ties=?5, visibility=?6,"
    " public_meta=?7, closed=?8, ranking=?9, revision=?10, created_at=?11, updated_at=?12, seq=?13,"
    " rule_since=?14, crc=?15";
inline constexpr std::string_view kColumnColumns =
    "board, number, name, \"order\", decimals, min, max";
inline constexpr std::string_view kInsertColumn =
    "INSERT INTO board_column VALUES (?1,?2,?3,?4,?5,?6,?7)";

// A key as its row holds it: high before low, each with the most significant byte first.
using KeyBytes = std::array<std::byte, 16>;
KeyBytes key_bytes(base::Hash128 key);
// {} from anything that is not 16 bytes.
base::Hash128 key_from(std::span<const std::byte> bytes);

// The bound row lives as long as the record does. Records are canonical (rows.h). `keyed_before` is
// the newest event with a key before this one, 0: none, without a value: not known.
void bind_event(Statement& statement, const Event& event, const KeyBytes& key, std::uint32_t crc,
                std::uint64_t chain, std::optional<base::Sequence> keyed_before);
void bind_entry(Statement& statement, const EntryRecord& record);
void bind_player(Statement& statement, const PlayerRecord& record);
void bind_stream(Statement& statement, const StreamRecord& record, const KeyBytes& key);
void bind_board(Statement& statement, const BoardRecord& record);
void bind_column(Statement& statement, const BoardRecord& record, std::size_t column);

// Fill a record from the present row. False: the row is damaged; damaged() says which. Of a board
// the caller verifies the whole.
bool read_event(const Statement& statement, EventRow& row);
bool read_entry(const Statement& statement, EntryRecord& record);
bool read_player(const Statement& statement, PlayerRecord& record);
bool read_stream(const Statement& statement, StreamRecord& record);
// A board comes in parts: its row, its columns in order, then the checksum over all of them.
bool read_board(const Statement& statement, BoardRecord& record, std::uint32_t& crc);
bool read_column(const Statement& statement, BoardRecord& record);

// "row 7 of event is damaged ..."
base::Error damaged(std::string_view table, const std::string& key);
base::Error damaged_entry(std::string_view table, EntryKey key);

}  // namespace standings::ledger::sqlite
