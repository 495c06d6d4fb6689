// Copies of a database that nobody writes, and what makes a copy whole.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/sqlite/connection.h"
#include "ledger/sqlite/mark_file.h"

namespace standings::ledger::sqlite {

// Whether a journal lies beside the database by which the next opening undoes changes of it. A
// server's own has one only where its very first start was killed; one of another database ruins
// this one.
bool has_hot_journal(const std::filesystem::path& database);

// How to read the database of a folder that no server uses: a WAL that a crash has left is part of
// it, and without one no file needs to appear beside it. kIntegrity beside a hot journal: what
// would be read is not what the next start has.
base::Result<Access> read_access(const std::filesystem::path& database);

// Copies the database of a folder that no server uses, unsealed. `progress` false: give up.
base::Result<void> copy_database(const std::filesystem::path& from, const std::string& to,
                                 const std::function<bool(const BackupProgress&)>& progress);

// Begins a new epoch in a sealed copy, durably, and answers the mark that belongs to it.
base::Result<Mark> renew_epoch(const std::string& path, base::Random& random);

// Makes a complete copy a file of its own (no WAL belongs to it), durable, and reads what it holds:
// header, state, boards, and the chain from the fold mark on, as a start would. kIntegrity when it
// is not whole. ~1 us an event past the fold mark. `cancelled` is asked several times a second.
base::Result<BackupFacts> seal_copy(const std::string& path,
                                    const std::function<bool()>& cancelled = {});
// Reads the same from a sealed copy, without writing anything.
base::Result<BackupFacts> read_copy(const std::string& path,
                                    const std::function<bool()>& cancelled = {});

}  // namespace standings::ledger::sqlite
