// What the ledger keeps, as plain values. docs/formats/ has the rows and bytes behind them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "ranking/rules.h"

namespace standings::ledger {

// The numbers are stored.
enum class EventKind : std::uint8_t {
    kSubmit = 1,   // a submission went through the rule
    kSet = 2,      // scores set past the rule
    kRemove = 3,   // the entry was removed
    kDetails = 4,  // name or meta changed, scores did not
    kBoardCreated = 16,
    kBoardChanged = 17,
    kBoardReset = 18,
    kBoardClosed = 19,
    kBoardReopened = 20,
    kBoardDeleted = 21,
};

constexpr bool is_entry_event(EventKind kind) {
    return kind < EventKind::kBoardCreated;
}

// One change of one board, in the one order. Immutable once committed.
struct Event {
    base::Sequence seq;
    base::BoardId board;
    base::RankingId ranking;  // the life of the board's rows that it belongs to
    base::PlayerSlot slot = base::kNoSlot;
    EventKind kind = EventKind::kSubmit;
    ranking::Outcome outcome = ranking::Outcome::kCreated;
    std::uint8_t columns = 1;         // how many of the scores below count
    bool had_entry = false;           // `previous` holds the scores before it
    std::uint32_t rules_version = 0;  // revision of the board whose rules decided
    ranking::Scores input;
    ranking::Scores previous;
    ranking::Scores result;   // in the main ranking; undefined for kRemove
    base::Sequence prev_seq;  // the player's event before on this board, 0: none
    base::Instant at;
    base::Instant occurred_at = base::kNever;
    // Of the request's idempotency key, in the first event that the request made; {} without one.
    base::Hash128 key;
    std::uint64_t fingerprint = 0;  // of the request that carried the key
    friend bool operator==(const Event&, const Event&) = default;
};

enum class Visibility : std::uint8_t { kPublic = 0, kPrivate = 1 };

// What a submission may hold in one column, in units.
struct ScoreLimits {
    std::optional<std::int64_t> min;
    std::optional<std::int64_t> max;
    friend bool operator==(const ScoreLimits&, const ScoreLimits&) = default;
};

struct BoardConfig {
    std::string title;
    ranking::Rules rules;
    Visibility visibility = Visibility::kPublic;
    bool public_meta = false;
    std::array<ScoreLimits, ranking::kMaxColumns> limits;
    friend bool operator==(const BoardConfig&, const BoardConfig&) = default;
};

struct BoardRecord {
    base::BoardId id;
    std::string slug;
    BoardConfig config;
    base::RankingId ranking;     // of its present life
    std::uint32_t revision = 1;  // moves with the configuration and with closed
    bool closed = false;
    base::Instant created_at;
    base::Instant updated_at;  // of the configuration
    base::Sequence seq;        // last change known when the row was written; events may be ahead
    // The event that gave it its present rule, 0 for its first one. Of what earlier events left,
    // occurred_at means nothing any more.
    base::Sequence rule_since;
    friend bool operator==(const BoardRecord&, const BoardRecord&) = default;
};

struct EntryKey {
    base::RankingId ranking;
    base::PlayerSlot slot;
    friend auto operator<=>(const EntryKey&, const EntryKey&) = default;
};

// An entry as written back. A removed one is a tombstone: only entry.last_seq counts.
struct EntryRecord {
    EntryKey key;
    bool removed = false;
    std::uint8_t columns = 1;
    ranking::Entry entry;
    friend bool operator==(const EntryRecord&, const EntryRecord&) = default;
};

// Name and meta belong to the entry. Meta is JSON text.
struct Details {
    std::optional<std::string> name;
    std::optional<std::string> meta;
    friend bool operator==(const Details&, const Details&) = default;
};

struct PlayerRecord {
    EntryKey key;
    std::string player;
    Details details;
    friend bool operator==(const PlayerRecord&, const PlayerRecord&) = default;
};

// How far an NDJSON stream with an idempotency key has come.
struct StreamRecord {
    base::Hash128 key;
    std::uint64_t lines = 0;         // the last line committed, from 1 on
    std::uint64_t running_hash = 0;  // over those lines
    std::uint64_t accepted = 0;
    std::uint64_t rejected = 0;
    base::Sequence seq;  // of the last accepted line
    base::Instant at;
    bool complete = false;
    friend bool operator==(const StreamRecord&, const StreamRecord&) = default;
};

}  // namespace standings::ledger
