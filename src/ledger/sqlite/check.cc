#include "ledger/sqlite/check.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/hash.h"
#include "ledger/sqlite/board_table.h"
#include "ledger/sqlite/mark_file.h"
#include "ledger/sqlite/row_codec.h"
#include "ledger/sqlite/row_types.h"
#include "ledger/sqlite/schema.h"

namespace standings::ledger::sqlite {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::uint64_t kTellEvery = 65'536;
// Rows come in the order of their slots: of a damaged row, a slot so far beyond the ones before it
// is damage too, and is not worth the memory.
constexpr std::size_t kFarSlot = 65'536;
constexpr const char* kWrongChecksum = "its checksum or its content does not fit";
constexpr const char* kWrongType = "a value in it has another type than the server writes";

std::string name_of(EntryKey key) {
    return "ranking " + std::to_string(key.ranking.value) + ", slot " +
           std::to_string(key.slot.value);
}

std::uint64_t hash_of(const ranking::Scores& scores) {
    return base::hash64({reinterpret_cast<const char*>(scores.units.data()),
                         sizeof(scores.units[0]) * scores.units.size()});
}

// What is known of one slot of a ranking: its rows, and the fold of the events seen so far.
struct Slot {
    std::uint64_t last_seq = 0;     // of the entry
    std::uint64_t reached_seq = 0;  // of the entry
    std::uint64_t scores = 0;       // of the entry, hashed
    std::uint64_t seen_seq = 0;     // the newest event of the slot
    std::uint64_t reached = 0;      // by the events; 0: not known
    std::uint32_t submissions = 0;  // of the entry
    std::uint32_t counted = 0;      // by the events
    bool has_player = false;
    bool has_entry = false;
    bool removed = false;
    bool whole = false;    // all events of the present entry have been seen
    bool matched = false;  // the event of last_seq was seen
};

class Check {
  public:
    Check(const CheckOptions& options, Connection& connection)
        : options_(options), connection_(connection) {}

    Result<CheckReport> run(const std::optional<Mark>& mark) {
        if (auto done = check_file(); !done) return done.error();
        const auto state = read_state(connection_);
        if (!state && state.error().code != ErrorCode::kIntegrity) return state.error();
        if (state) {
            report_.facts.database_id = state->database_id;
            report_.facts.epoch = state->epoch;
            report_.fold_mark = state->fold_mark;
        } else {
            found("state", "", state.error().detail);
        }
        for (auto step : {&Check::check_boards, &Check::check_types, &Check::check_players,
                          &Check::check_entries, &Check::check_events, &Check::check_streams}) {
            auto done = (this->*step)();
            if (done) continue;
            // A page that cannot be read ends its table, not the check.
            if (done.error().code != ErrorCode::kIntegrity) return done.error();
            found("database", "", done.error().detail);
            tables_whole_ = false;
        }
        if (tables_whole_) compare_rows();
        check_tip();
        if (mark) check_mark(*mark);
        return std::move(report_);
    }

    CheckReport& report() { return report_; }
    void found(std::string table, std::string row, std::string what) {
        if (++report_.damages > CheckReport::kMostNamed) return;
        report_.findings.push_back({std::move(table), std::move(row), std::move(what)});
    }

  private:
    Result<void> check_file() {
        if (!tell("pages", 0, 0)) return gave_up();
        if (options_.deep) return check_structure("integrity_check(20)");
        auto done = check_structure("quick_check(20)");
        if (!done) return done;
        // That reads no index's content. These are small, and a board is found by them.
        return check_structure("integrity_check(board)");
    }

    Result<void> check_structure(const char* pragma) {
        auto rows = connection_.prepare(std::string("PRAGMA ") + pragma);
        if (!rows) return rows.error();
        while (true) {
            const auto more = rows->step();
            if (!more && more.error().code == ErrorCode::kIntegrity) {
                found("database", "", more.error().detail);
                return {};
            }
            if (!more) return more.error();
            if (!*more) return {};
            if (rows->text(0) != "ok") found("database", "", std::string(rows->text(0)));
        }
    }

    Result<void> check_boards() {
        auto old = connection_.prepare("SELECT ranking FROM old_ranking");
        if (!old) return old.error();
        while (true) {
            const auto more = old->step();
            if (!more) return more.error();
            if (!*more) break;
            old_.insert(static_cast<std::uint32_t>(old->number(0)));
        }
        auto live = connection_.prepare("SELECT ranking FROM board");
        if (!live) return live.error();
        while (true) {
            const auto more = live->step();
            if (!more) return more.error();
            if (!*more) break;
            slots_.try_emplace(static_cast<std::uint32_t>(live->number(0)));
        }
        report_.facts.boards = slots_.size();
        const auto version = connection_.query_number("PRAGMA user_version");
        if (!version) return version.error();
        const auto ours = has_our_views(connection_);
        if (!ours) return ours.error();
        // An older file has other ones, until a server starts on it.
        if (*version == kSchemaVersion && !*ours) {
            found("view", "", "the text of the views is damaged; the next start makes them anew");
        }
        const auto boards = read_boards(connection_);
        if (boards) return {};
        if (boards.error().code != ErrorCode::kIntegrity) return boards.error();
        found("board", "", boards.error().detail);
        return {};
    }

    // Calls `visit(statement)` for each row of a table; `table` in the plural for the progress.
    template <class Visit>
    Result<void> each_row(std::string_view columns, std::string_view table, const char* plural,
                          Visit&& visit) {
        const auto total = connection_.query_number("SELECT count(*) FROM " + std::string(table));
        if (!total) return total.error();
        auto rows =
            connection_.prepare("SELECT " + std::string(columns) + " FROM " + std::string(table));
        if (!rows) return rows.error();
        for (std::uint64_t done = 0;; ++done) {
            if (done % kTellEvery == 0 && !tell(plural, done, static_cast<std::uint64_t>(*total))) {
                return gave_up();
            }
            const auto more = rows->step();
            if (!more) return more.error();
            if (!*more) return {};
            visit(*rows);
        }
    }

    // Of tables of a few rows, whose checksums are compared elsewhere.
    Result<void> check_types() {
        constexpr std::array<std::array<std::string_view, 3>, 3> kTables = {{
            {"state", "*", kStateTypes},
            {"board", kBoardColumns, kBoardTypes},
            {"board_column", kColumnColumns, kColumnTypes},
        }};
        for (const auto& [table, columns, types] : kTables) {
            auto done = each_row(
                columns, table, "boards", [&, table = table, types = types](const Statement& row) {
                    if (types_fit(row, types)) return;
                    found(std::string(table), std::to_string(row.number(0)), kWrongType);
                });
            if (!done) return done;
        }
        return {};
    }

    // The slot of a row; null for one of a ranking that is being deleted, or that no board has,
    // which is a finding, and where a row that is not `sound` names a slot that cannot be.
    Slot* slot_of(EntryKey key, const char* table, bool sound) {
        const auto ranking = slots_.find(key.ranking.value);
        if (ranking == slots_.end()) {
            if (!old_.contains(key.ranking.value)) {
                found(table, name_of(key), "it belongs to a ranking that no board has");
            }
            return nullptr;
        }
        if (!sound && key.slot.value >= ranking->second.size() + kFarSlot) return nullptr;
        if (ranking->second.size() <= key.slot.value) ranking->second.resize(key.slot.value + 1);
        return &ranking->second[key.slot.value];
    }

    Result<void> check_players() {
        return each_row(kPlayerColumns, "player", "players", [&](const Statement& row) {
            ++report_.facts.players;
            PlayerRecord player;
            const bool typed = types_fit(row, kPlayerTypes);
            const bool sound = read_player(row, player);
            if (!sound || !typed) {
                found("player", name_of(player.key), sound ? kWrongType : kWrongChecksum);
            }
            if (Slot* slot = slot_of(player.key, "player", sound)) slot->has_player = true;
        });
    }

    Result<void> check_entries() {
        return each_row(kEntryColumns, "entry", "entries", [&](const Statement& row) {
            ++report_.entries;
            EntryRecord entry;
            const bool typed = types_fit(row, kEntryTypes);
            const bool sound = read_entry(row, entry);
            if (!sound || !typed || !scores_fit(row, entry)) {
                found("entry", name_of(entry.key), sound ? kWrongType : kWrongChecksum);
                // What it says is not to be compared; that it is there, is.
                if (Slot* slot = slot_of(entry.key, "entry", sound)) slot->has_entry = true;
                return;
            }
            Slot* slot = slot_of(entry.key, "entry", true);
            if (slot == nullptr) return;
            slot->has_entry = true;
            slot->removed = entry.removed;
            slot->last_seq = entry.entry.last_seq.value;
            slot->reached_seq = entry.entry.reached_seq.value;
            slot->scores = hash_of(entry.entry.scores);
            slot->submissions = entry.entry.submissions;
        });
    }

    Result<void> check_events() {
        std::uint64_t expected = 0;  // seq of the next one; 0: whatever comes first
        std::optional<std::uint64_t> chain;
        return each_row(kEventColumns, "event", "events", [&](const Statement& row) {
            ++report_.events;
            const auto seq = static_cast<std::uint64_t>(row.number(0));
            if (expected == 0) {
                report_.first_seq = {seq};
                if (seq == 1) chain = 0;
                if (seq > report_.fold_mark.value + 1) {
                    found("event", "seq " + std::to_string(report_.fold_mark.value + 1),
                          "it is missing, and entries do not hold it yet");
                }
            } else if (seq != expected) {
                const std::string to = seq - 1 > expected ? " to " + std::to_string(seq - 1) : "";
                found("event", "seq " + std::to_string(expected) + to, "it is missing");
                chain.reset();
            }
            expected = seq + 1;
            report_.facts.seq = {seq};

            EventRow event;
            const bool typed = types_fit(row, kEventTypes);
            const bool sound = read_event(row, event);
            if (!sound || !typed || !scores_fit(row, event.event)) {
                found("event", "seq " + std::to_string(seq), sound ? kWrongType : kWrongChecksum);
                chain.reset();
                events_whole_ = false;
                return;
            }
            if (chain && event.chain != base::chain_after(*chain, event.crc)) {
                found("event", "seq " + std::to_string(seq),
                      "it does not follow the one before it (its chain value does not fit)");
            }
            chain = event.chain;
            report_.facts.chain = event.chain;
            if (is_entry_event(event.event.kind)) fold(event.event);
        });
    }

    void fold(const Event& event) {
        const auto ranking = slots_.find(event.ranking.value);
        if (ranking == slots_.end()) return;  // of a life that has ended
        if (event.slot.value >= ranking->second.size()) {
            // Of a player that was removed, and whose rows went when the fold mark had passed.
            if (event.seq <= report_.fold_mark) return;
            found("event", "seq " + std::to_string(event.seq.value), "its player has no row");
            return;
        }
        Slot& slot = ranking->second[event.slot.value];
        const bool follows = event.prev_seq.value == 0 || slot.seen_seq == 0 ||
                             event.prev_seq.value == slot.seen_seq;
        if (!follows && events_whole_) {
            found("event", "seq " + std::to_string(event.seq.value),
                  "it follows event " + std::to_string(event.prev_seq.value) +
                      " of its player, but there is " + std::to_string(slot.seen_seq) +
                      " between them");
        }
        slot.seen_seq = event.seq.value;
        count(event, slot);
        if (event.seq.value == slot.last_seq) compare(event, slot);
    }

    static void count(const Event& event, Slot& slot) {
        const bool submit = event.kind == EventKind::kSubmit;
        if (event.kind == EventKind::kRemove) {
            slot.whole = true;  // nothing is left to know
            slot.reached = 0;
            slot.counted = 0;
        } else if (!submit && event.kind != EventKind::kSet) {
            // Another kind may have put back what was before: its result counts, no more.
            slot.whole = false;
            slot.reached = 0;
        } else if (!event.had_entry) {
            slot.whole = true;
            slot.reached = event.seq.value;
            slot.counted = submit ? 1 : 0;
        } else {
            if (event.previous != event.result) slot.reached = event.seq.value;
            if (submit && slot.counted < UINT32_MAX) ++slot.counted;
        }
    }

    // The entry, against what its newest event and the ones before it make of it.
    void compare(const Event& event, Slot& slot) {
        slot.matched = true;
        const EntryKey key{event.ranking, event.slot};
        const std::string by = "event " + std::to_string(event.seq.value);
        const bool known = event.kind == EventKind::kSubmit || event.kind == EventKind::kSet ||
                           event.kind == EventKind::kRemove;
        if (!known) return;
        if (slot.removed != (event.kind == EventKind::kRemove)) {
            return found("entry", name_of(key), "whether it is removed differs from " + by);
        }
        if (slot.removed) return;
        if (slot.scores != hash_of(event.result)) {
            return found("entry", name_of(key), "its scores are not those of " + by);
        }
        if (slot.reached != 0 && slot.reached_seq != slot.reached) {
            return found("entry", name_of(key),
                         "it says that its scores were reached by event " +
                             std::to_string(slot.reached_seq) + ", which was event " +
                             std::to_string(slot.reached));
        }
        if (!slot.whole) return;
        if (slot.submissions != slot.counted) {
            return found("entry", name_of(key),
                         "it counts " + std::to_string(slot.submissions) +
                             " submissions, its events are " + std::to_string(slot.counted));
        }
        ++report_.folded;
    }

    Result<void> check_streams() {
        return each_row(kStreamColumns, "stream", "streams", [&](const Statement& row) {
            StreamRecord stream;
            const bool typed = types_fit(row, kStreamTypes);
            const bool sound = read_stream(row, stream);
            if (!sound || !typed) {
                found("stream", "at " + std::to_string(row.number(6)),
                      sound ? kWrongType : kWrongChecksum);
            }
        });
    }

    // Rows that are missing altogether have no checksum to tell of them.
    void compare_rows() {
        for (const auto& [ranking, slots] : slots_) {
            for (std::uint32_t i = 0; i < slots.size(); ++i) {
                compare_row({{ranking}, {i}}, slots[i]);
            }
        }
    }

    void compare_row(EntryKey key, const Slot& slot) {
        if (slot.has_entry && !slot.has_player) {
            return found("player", name_of(key), "it is missing: there is an entry without it");
        }
        const std::uint64_t fold_mark = report_.fold_mark.value;
        if (slot.has_player && !slot.has_entry && slot.seen_seq <= fold_mark) {
            return found("entry", name_of(key), "it is missing: there is a player without it");
        }
        if (!slot.has_entry || !events_whole_ || slot.last_seq == 0) return;
        if (!slot.matched && slot.last_seq >= report_.first_seq.value && report_.events > 0) {
            return found("entry", name_of(key),
                         "there is no event " + std::to_string(slot.last_seq) +
                             " of this player, which it names as its last");
        }
        // Seen beyond the entry's own, and not past the mark: the entry has missed it.
        if (slot.matched && slot.seen_seq > slot.last_seq && slot.seen_seq <= fold_mark) {
            found("entry", name_of(key),
                  "it does not hold event " + std::to_string(slot.seen_seq) +
                      ", which the fold mark has passed");
        }
    }

    void check_tip() {
        if (report_.facts.seq < report_.fold_mark) {
            found("event", "seq " + std::to_string(report_.facts.seq.value + 1),
                  "it is missing: entries hold events up to " +
                      std::to_string(report_.fold_mark.value));
        }
    }

    void check_mark(const Mark& mark) {
        if (mark.seq.value == 0) return;
        if (mark.database_id != report_.facts.database_id) {
            return found("mark", "", "the mark file belongs to another database");
        }
        if (mark.epoch != report_.facts.epoch) {
            return found("mark", "", "the mark file belongs to another epoch of this database");
        }
        if (mark.seq > report_.facts.seq) {
            return found("mark", "",
                         "events " + std::to_string(report_.facts.seq.value + 1) + " to " +
                             std::to_string(mark.seq.value) +
                             ", which were acknowledged, are not in the database");
        }
        const auto chain = connection_.query_number("SELECT chain FROM event WHERE seq = " +
                                                    std::to_string(mark.seq.value));
        if (!chain) return;  // retention has taken it
        if (static_cast<std::uint64_t>(*chain) != mark.chain) {
            found("mark", "",
                  "event " + std::to_string(mark.seq.value) +
                      " is not the one that was acknowledged (its chain value differs)");
        }
    }

    bool tell(const char* table, std::uint64_t done, std::uint64_t total) {
        return !options_.progress || options_.progress(table, done, total);
    }
    static Error gave_up() { return {ErrorCode::kCancelled, "The check was cancelled."}; }

    const CheckOptions& options_;
    Connection& connection_;
    CheckReport report_;
    std::unordered_set<std::uint32_t> old_;
    std::unordered_map<std::uint32_t, std::vector<Slot>> slots_;  // by live ranking
    bool events_whole_ = true;
    bool tables_whole_ = true;
};

}  // namespace

Result<CheckReport> check_database(const CheckOptions& options) {
    // Before the database: a server that runs may move it on meanwhile, and never back.
    MarkInspection marks;
    if (options.mark) {
        auto inspected = MarkFile::inspect(*options.mark);
        if (!inspected) return inspected.error();
        marks = *std::move(inspected);
    }
    auto connection = Connection::open(options.database.string(),
                                       options.frozen ? Access::kFrozen : Access::kRead);
    if (!connection) return connection.error();
    // One snapshot for all that follows. The first read takes it.
    if (auto begun = connection->exec("BEGIN"); !begun) return begun.error();
    const auto fresh = is_new(*connection);
    if (!fresh) return fresh.error().with_context(options.database.string());
    if (*fresh) {
        return Error{ErrorCode::kIntegrity, options.database.string() + " holds no database"};
    }
    Check check(options, *connection);
    for (const int slot : marks.damaged) {
        check.found("mark", "slot " + std::to_string(slot), kWrongChecksum);
    }
    if (options.mark && marks.missing) {
        check.report().notes.push_back("there is no mark file; the next start makes one");
    }
    return check.run(marks.newest);
}

}  // namespace standings::ledger::sqlite
