// Point reads of committed rows on a read-only connection.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/sqlite/connection.h"

namespace standings::ledger::sqlite {

// The statements of point reads, for any connection. Thread: the connection's. ~2 us a row.
class PointReads {
  public:
    static base::Result<PointReads> prepare(Connection& connection);

    base::Result<std::optional<Event>> event(base::Sequence seq);
    // None when there is no such player.
    base::Result<std::optional<PlayerRecord>> player(EntryKey key);
    base::Result<std::optional<StreamRecord>> stream(base::Hash128 key);

  private:
    Statement event_;
    Statement player_;
    Statement stream_;
};

base::Result<std::unique_ptr<LedgerReader>> make_reader(Connection connection);

}  // namespace standings::ledger::sqlite
