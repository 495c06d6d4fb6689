// All standings of a board as they were at one seq, in order, for as long as a reader takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "engine/spool.h"
#include "ledger/ledger.h"
#include "ranking/board.h"
#include "ranking/row_order.h"

namespace standings::engine {

struct ExportOptions {
    std::string folder;  // for the spool
    bool with_meta = false;
    std::size_t expected_rows = 0;     // saves memory while it grows
    std::function<bool()> given_up{};  // asked now and then while it is built
    // Free bytes on the disk of `folder`, where a test knows better than the disk.
    std::function<std::uint64_t()> free_bytes{};
};

// A row; the texts live until the next one is read.
struct ExportedRow {
    ranking::Row row;  // without reached_seq
    std::uint32_t submissions = 0;
    std::string_view player;
    std::optional<std::string_view> name;
    std::optional<std::string_view> meta;
};

// Promise: exact at seq(), whatever is written meanwhile. The database is held in one state only
// while build() runs: ~1.5 us a player. Then the order is in memory, 24 bytes a row with one
// column, and the texts are in a file without a name. One thread at a time.
class StandingsExport {
  public:
    // kBoardNotFound: the board was deleted. kOverloaded: given up. kNoSpace: it would leave less
    // than kSpareDiskBytes on the disk; whoever only reads must not stop those who submit.
    static base::Result<std::unique_ptr<StandingsExport>> build(ledger::LedgerReader& reader,
                                                                base::BoardId board,
                                                                const ExportOptions& options);

    base::Sequence seq() const { return record_.seq; }
    const ledger::BoardRecord& record() const { return record_; }
    std::size_t size() const { return order_->size(); }

    // False at the end.
    base::Result<bool> next(ExportedRow& row);

  private:
    class Builder;
    StandingsExport(ledger::BoardRecord record, Spool spool);

    ledger::BoardRecord record_;  // its seq is that of the snapshot
    Spool spool_;
    std::unique_ptr<ranking::RowOrder> order_;
    std::vector<std::uint64_t> offsets_;  // in the spool, by slot
    std::size_t next_ = 0;
    base::Rank rank_;
    std::string bytes_;  // of the present row
};

}  // namespace standings::engine
