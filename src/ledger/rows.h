// What a stored row really holds, and its checksum. The same for every ledger, so that a copy from
// one into another keeps its checksums and its chain.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ledger/records.h"

namespace standings::ledger {

// The record with everything cleared that a row does not keep: columns that the board does not
// have, previous scores without an entry, the result of a removal, the scores of a tombstone.
Event canonical(Event event);
EntryRecord canonical(EntryRecord record);

// Whether the canonical record is one that can have been written: every slot, seq, score and word
// lies in its range. What ranks the rows relies on it, so a row that fails it is as damaged as one
// whose checksum does not fit.
bool is_possible(const Event& event);
bool is_possible(const EntryRecord& record);
bool is_possible(const PlayerRecord& record);
bool is_possible(const BoardRecord& record);

// How many numbers of `input` and `result` an event keeps.
std::size_t input_count(const Event& event);
std::size_t result_count(const Event& event);

// CRC-32C over the canonical record, keys included: a row that moved is as wrong as one that
// changed. ~20 ns. docs/formats/database.md has the bytes.
std::uint32_t checksum(const Event& event);
std::uint32_t checksum(const EntryRecord& record);
std::uint32_t checksum(const PlayerRecord& record);
std::uint32_t checksum(const BoardRecord& record);
std::uint32_t checksum(const StreamRecord& record);

}  // namespace standings::ledger
