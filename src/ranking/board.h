// A board in memory: a set of rankings over one player table. No I/O, no clock, no lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "ranking/rules.h"

namespace standings::ranking {

// Where an entry stands. With Ties::kEarliest rank == position.
struct Place {
    base::Rank rank;
    base::Position position;
    friend bool operator==(const Place&, const Place&) = default;
};

// One line of a ranking as it is read: everything but id and name.
struct Row {
    base::PlayerSlot slot;
    Place place;
    Scores scores;
    base::Sequence reached_seq;
    base::Instant reached_at;
    bool has_details = false;
    friend bool operator==(const Row&, const Row&) = default;
};

// The place in the order between two entries: of a cursor, or of a score that would come now.
struct Seek {
    Scores scores;
    base::Sequence reached_seq;
};

// One entry with its slot, for bulk building.
struct SlotEntry {
    base::PlayerSlot slot;
    Entry entry;
};

// A board gives slots below this: the index keeps a slot in 26 bits (16 bytes a key, not 20). The
// engine refuses a new player when upcoming_slot reaches it.
inline constexpr std::uint32_t kMaxPlayers = std::uint32_t{1} << 26;
// Bytes of a player's id.
inline constexpr std::size_t kMaxPlayerId = 128;

// The index's nodes: for use, or so small that a test's few entries make a deep tree.
enum class NodeSize : std::uint8_t { kUsual, kTiny };

// What does not show in any answer.
struct BoardTuning {
    std::uint64_t hash_seed = 0;  // chance that clients do not know, against colliding ids
    NodeSize nodes = NodeSize::kUsual;
    std::size_t split_players_at =
        65'536;  // from there on 64 hash tables, so that none pauses long
};

// Promise: ranks, positions and pages are exact at every moment, by Rules and reached_seq.
// Owner: the engine's board. Threads: one writer; readers only while no write runs (the engine's
// RwLock). Cost: O(log n) for every call unless it says otherwise; rows of a page O(1) each.
class Board {
  public:
    // `rankings` >= 1 rankings over the same players (one today; later one per period and segment).
    explicit Board(Rules rules, std::size_t rankings = 1, BoardTuning tuning = {});
    ~Board();
    Board(Board&&) noexcept;
    Board& operator=(Board&&) noexcept;

    const Rules& rules() const;
    std::size_t ranking_count() const;

    // --- players: id <-> slot ---------------------------------------------------------------

    std::optional<base::PlayerSlot> find(std::string_view player) const;
    // What find() and row() of this player will read comes into the cache, a step after the other,
    // each of which needs what the one before asked for. Taken in turns for several players, their
    // misses go on side by side. Changes nothing.
    static constexpr int kWarmSteps = 3;
    void warm(std::string_view player, int step) const;
    bool has_player(base::PlayerSlot slot) const;
    // The view lives until the player is dropped. CHECKs that the slot is in use.
    std::string_view player_id(base::PlayerSlot slot) const;
    // Slots in use: players with an entry, and removed ones whose slot is not dropped yet.
    std::size_t player_count() const;
    // One past the largest slot ever given.
    std::uint32_t slot_limit() const;
    // The slot that the (n+1)-th add_player from now on will give: reused slots first.
    base::PlayerSlot upcoming_slot(std::size_t n) const;
    // CHECKs that the player is new, and has 1 to 128 bytes. O(1), but for a table that grows.
    base::PlayerSlot add_player(std::string_view player);
    // Forgets a player that has no entry in any ranking; the slot is given again. O(1).
    void drop_player(base::PlayerSlot slot);

    // --- entries ----------------------------------------------------------------------------

    std::optional<Entry> entry(base::PlayerSlot slot, std::size_t ranking = 0) const;
    // The player's last event in this ranking, also of one whose entry was removed (0: none yet).
    // Each ranking has its own, because each is stored and loaded on its own.
    base::Sequence last_seq(base::PlayerSlot slot, std::size_t ranking = 0) const;
    // Inserts or moves the entry. `occurred_at` is kept with Rule::kLast only. An entry whose key
    // stays (scores and reached_seq) costs O(1).
    void put(base::PlayerSlot slot, const Entry& entry, std::size_t ranking = 0);
    // Takes the entry out; the slot stays, with `last_seq` = `seq`. No entry: only that.
    void remove(base::PlayerSlot slot, base::Sequence seq, std::size_t ranking = 0);

    // --- reading a ranking --------------------------------------------------------------------

    std::size_t size(std::size_t ranking = 0) const;
    std::optional<Place> place_of(base::PlayerSlot slot, std::size_t ranking = 0) const;
    // Appends up to `limit` rows from the 0-based `offset` on to `out`. The ranks of the page cost
    // one rank query, not one a row.
    void page(std::size_t offset, std::size_t limit, std::vector<Row>& out,
              std::size_t ranking = 0) const;
    // The row of one player, if it has an entry.
    std::optional<Row> row(base::PlayerSlot slot, std::size_t ranking = 0) const;
    // How many entries are ahead of `seek`: an entry with the same scores and a smaller reached_seq
    // is ahead. With reached_seq = 0 that is the first of the equal ones, with kMaxSequence the
    // place behind all of them.
    std::size_t count_ahead(const Seek& seek, std::size_t ranking = 0) const;
    // The rank that `scores` would get if they came now as a new entry.
    base::Rank rank_of_scores(const Scores& scores, std::size_t ranking = 0) const;

    // --- bulk and upkeep ----------------------------------------------------------------------

    // Fills an empty table with ids in slot order; a slot that is skipped or whose id is empty is
    // free. May run in another thread than load_entries and load_removed of the same board, at the
    // same time. Answers a slot whose id another one has too: then the board is of no use. ~100 ns
    // each.
    [[nodiscard]] std::optional<base::PlayerSlot> load_players(
        std::function<bool(base::PlayerSlot& slot, std::string_view& id)> next);
    // Fills an empty ranking from entries in any order; `next` gives one after the other, false at
    // the end. Needs 16 bytes an entry (one column) while it runs. ~100 ns each (sorts).
    void load_entries(const std::function<bool(SlotEntry&)>& next, std::size_t ranking = 0);
    void load_entries(std::vector<SlotEntry> entries, std::size_t ranking = 0);
    // Slots that are known but have no entry (tombstones) keep their last_seq through this. Before
    // or after load_entries, in its thread.
    void load_removed(base::PlayerSlot slot, base::Sequence last_seq, std::size_t ranking = 0);

    // Another rule or tie rule over the same columns (CHECKed). O(1); O(n) where the rule becomes
    // kLast.
    void set_rules(const Rules& rules);

    // After loading: the first slot that has a player but no event, or the other way round. O(n).
    std::optional<base::PlayerSlot> find_mismatch() const;

    // Whole-structure check, O(n): order, counts, fill, table and index agree. CHECKs.
    void check() const;
    // Bytes that the board holds from the allocator, counted from its structures.
    std::size_t memory_bytes() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace standings::ranking
