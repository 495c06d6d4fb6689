// Whether a row holds values of the types that the server writes. Another type may hold the same
// bytes, or count as the same number, so that the row's checksum fits; to SQL it is something else:
// a blob equals no text, and NULL is not 0.
#pragma once

#include <cstddef>
#include <string_view>

#include "ledger/records.h"
#include "ledger/sqlite/connection.h"

namespace standings::ledger::sqlite {

// One letter for each column of the SELECT lists in row_codec.h: i integer, t text, b bytes. A
// capital may be NULL as well.
inline constexpr std::string_view kEventTypes = "iiBiiIiiiiiIIIIIIIIIIIIiIIii";
inline constexpr std::string_view kEntryTypes = "iiiIIIIiiiIiii";
inline constexpr std::string_view kPlayerTypes = "iitTTi";
inline constexpr std::string_view kStreamTypes = "biiiiiiii";
inline constexpr std::string_view kBoardTypes = "itttttiiiiiiiii";
inline constexpr std::string_view kColumnTypes = "iittiII";
// Of every column of `state`.
inline constexpr std::string_view kStateTypes = "ittiiiii";

// Ask before a value is read: reading one as another type changes what SQLite says of it. ~4 ns a
// column.
bool types_fit(const Statement& row, std::string_view types);

// Whether the present row of kEventColumns (kEntryColumns), which was read as `event` (`entry`),
// has a number for each score that it must have, and none beyond.
bool scores_fit(const Statement& row, const Event& event);
bool scores_fit(const Statement& row, const EntryRecord& entry);

}  // namespace standings::ledger::sqlite
