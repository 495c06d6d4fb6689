// Boards and their columns, read and written whole.
#pragma once

#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "ledger/records.h"
#include "ledger/sqlite/connection.h"

namespace standings::ledger::sqlite {

// By id, each verified. ~3 us a board.
base::Result<std::vector<BoardRecord>> read_boards(Connection& connection);

// The writing side. Thread: the connection's. None of these is on the way of a submission.
class BoardTable {
  public:
    static base::Result<BoardTable> prepare(Connection& connection);

    base::Result<std::optional<BoardRecord>> find(base::BoardId id);
    base::Result<std::optional<BoardRecord>> find_ranking(base::RankingId ranking);
    // Inserts or replaces.
    base::Result<void> put(const BoardRecord& record);
    base::Result<void> erase(base::BoardId id);

  private:
    base::Result<std::optional<BoardRecord>> read_one(Statement& row, std::uint32_t key);

    Statement by_id_;
    Statement by_ranking_;
    Statement columns_;
    Statement put_;
    Statement erase_;
    Statement put_column_;
    Statement erase_columns_;
};

}  // namespace standings::ledger::sqlite
