// Reads a whole database and compares all that it says twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/sqlite/connection.h"

namespace standings::ledger::sqlite {

struct CheckOptions {
    std::filesystem::path database;
    // Nobody writes the file meanwhile, and it has no WAL: it is read without locks.
    bool frozen = false;
    // SQLite's integrity_check (all indexes, too) in place of its quick_check.
    bool deep = false;
    // standings.mark, to be compared with the newest event; none for a backup.
    std::optional<std::filesystem::path> mark = {};
    // "events", rows so far, rows in all (0: not known); now and then. False: give up.
    std::function<bool(const char* table, std::uint64_t done, std::uint64_t total)> progress = {};
};

// One thing that is wrong.
struct Finding {
    std::string table;  // "entry", "mark", "database" ...
    std::string row;    // "seq 7", "ranking 1, slot 5"; empty where none is meant
    std::string what;   // a sentence
};

struct CheckReport {
    static constexpr std::size_t kMostNamed = 100;

    BackupFacts facts;
    base::Sequence first_seq;  // the oldest event kept; 0: none
    base::Sequence fold_mark;
    std::uint64_t entries = 0;  // tombstones included
    std::uint64_t events = 0;
    std::uint64_t folded = 0;        // entries whose events were all there to compare them with
    std::vector<std::string> notes;  // nothing wrong, but worth knowing
    std::vector<Finding> findings;   // the first kMostNamed
    std::uint64_t damages = 0;       // of which findings names the first
    bool whole() const { return damages == 0; }
};

// Row checksums of every table, the chain over all kept events, seq without a gap, the mark against
// the newest event, entries against the fold of their events, players against entries, and SQLite's
// own check. Reads one snapshot, also beside a running server. ~3 us an event, ~56 bytes a player.
// Fails when the file cannot be read at all, or is not ours; what is damaged is in the report.
base::Result<CheckReport> check_database(const CheckOptions& options);

}  // namespace standings::ledger::sqlite
