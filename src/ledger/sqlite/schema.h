// The tables and views of standings.db. docs/formats/database.md explains them to people.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "ledger/sqlite/connection.h"

namespace standings::ledger::sqlite {

inline constexpr std::int64_t kApplicationId = 0x53544E44;  // "STND"
inline constexpr std::int64_t kSchemaVersion = 2;

// The one row of `state`.
struct StateRow {
    std::string database_id;  // 32 hex digits, for ever
    std::string epoch;        // changes when a seq can no longer be compared
    base::Sequence fold_mark;
    base::BoardId next_board{1};
    base::RankingId next_ranking{1};
    std::uint64_t hash_seed = 0;
};

// "k3x9..": 10 characters of [a-z2-7].
std::string make_epoch(base::Random& random);

// Settings of the writing connection. On a new file they also lay down page size and vacuum mode.
base::Result<void> configure_writer(Connection& connection, std::int64_t cache_bytes);

// Whether the file is empty (true), or ours and of this version or an earlier one (false). Anything
// else is kSchema.
base::Result<bool> is_new(Connection& connection);
// Lays out an empty database in one transaction, with a new identity.
base::Result<void> create(Connection& connection, base::Random& random);
// Gives a file of an earlier version the column, the views and the index that it lacks, in one
// transaction. Writes nothing to a file that has them.
base::Result<void> bring_up_to_date(Connection& connection);

// The views are those of this version, to the letter.
base::Result<bool> has_our_views(Connection& connection);

base::Result<StateRow> read_state(Connection& connection);
base::Result<void> write_state(Connection& connection, const StateRow& state);

}  // namespace standings::ledger::sqlite
