#include "ledger/sqlite/board_table.h"

#include <string>
#include <utility>

#include "ledger/rows.h"
#include "ledger/sqlite/row_codec.h"

namespace standings::ledger::sqlite {
namespace {

using base::Result;

base::Error damaged_board(base::BoardId id) {
    return damaged("board", std::to_string(id.value));
}

std::string select_boards(std::string_view rest) {
    return "SELECT " + std::string(kBoardColumns) + " FROM board " + std::string(rest);
}
std::string select_columns(std::string_view rest) {
    return "SELECT " + std::string(kColumnColumns) + " FROM board_column " + std::string(rest);
}

}  // namespace

Result<std::vector<BoardRecord>> read_boards(Connection& connection) {
    auto rows = connection.prepare(select_boards("ORDER BY id"));
    if (!rows) return rows.error();
    auto columns = connection.prepare(select_columns("ORDER BY board, number"));
    if (!columns) return columns.error();
    auto has_column = columns->step();
    if (!has_column) return has_column.error();

    std::vector<BoardRecord> boards;
    while (true) {
        const auto found = rows->step();
        if (!found) return found.error();
        if (!*found) return boards;
        BoardRecord& board = boards.emplace_back();
        std::uint32_t crc = 0;
        if (!read_board(*rows, board, crc)) return damaged_board(board.id);
        while (*has_column && columns->number(0) <= board.id.value) {
            if (columns->number(0) != board.id.value || !read_column(*columns, board)) {
                return damaged_board(board.id);
            }
            has_column = columns->step();
            if (!has_column) return has_column.error();
        }
        if (crc != checksum(board) || !is_possible(board)) return damaged_board(board.id);
    }
}

Result<BoardTable> BoardTable::prepare(Connection& connection) {
    BoardTable table;
    const std::pair<Statement*, std::string> statements[] = {
        {&table.by_id_, select_boards("WHERE id = ?1")},
        {&table.by_ranking_, select_boards("WHERE ranking = ?1")},
        {&table.columns_, select_columns("WHERE board = ?1 ORDER BY number")},
        {&table.put_, std::string(kPutBoard)},
        {&table.erase_, "DELETE FROM board WHERE id = ?1"},
        {&table.put_column_, std::string(kInsertColumn)},
        {&table.erase_columns_, "DELETE FROM board_column WHERE board = ?1"},
    };
    for (const auto& [out, sql] : statements) {
        auto statement = connection.prepare(sql);
        if (!statement) return statement.error();
        *out = *std::move(statement);
    }
    return table;
}

Result<std::optional<BoardRecord>> BoardTable::find(base::BoardId id) {
    return read_one(by_id_, id.value);
}

Result<std::optional<BoardRecord>> BoardTable::find_ranking(base::RankingId ranking) {
    return read_one(by_ranking_, ranking.value);
}

Result<std::optional<BoardRecord>> BoardTable::read_one(Statement& row, std::uint32_t key) {
    const ResetLater reset(row);
    row.bind(1, key);
    const auto found = row.step();
    if (!found) return found.error();
    if (!*found) return std::optional<BoardRecord>();
    BoardRecord board;
    std::uint32_t crc = 0;
    if (!read_board(row, board, crc)) return damaged_board(board.id);

    const ResetLater reset_columns(columns_);
    columns_.bind(1, board.id.value);
    while (true) {
        const auto column = columns_.step();
        if (!column) return column.error();
        if (!*column) break;
        if (!read_column(columns_, board)) return damaged_board(board.id);
    }
    if (crc != checksum(board) || !is_possible(board)) return damaged_board(board.id);
    return std::optional(std::move(board));
}

Result<void> BoardTable::put(const BoardRecord& record) {
    bind_board(put_, record);
    if (auto done = put_.run(); !done) return done;
    erase_columns_.bind(1, record.id.value);
    if (auto done = erase_columns_.run(); !done) return done;
    for (std::size_t i = 0; i < record.config.rules.columns.size(); ++i) {
        bind_column(put_column_, record, i);
        if (auto done = put_column_.run(); !done) return done;
    }
    return {};
}

Result<void> BoardTable::erase(base::BoardId id) {
    erase_.bind(1, id.value);
    if (auto done = erase_.run(); !done) return done;
    erase_columns_.bind(1, id.value);
    return erase_columns_.run();
}

}  // namespace standings::ledger::sqlite
