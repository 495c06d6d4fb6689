// Which player is which slot: ids in an arena, and a hash set of slots over it.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "ranking/chunks.h"

namespace standings::ranking {

inline constexpr std::size_t kMaxPlayerId = 128;

// Where a text lies in an IdArena; 40 bits, 0 is "none".
struct IdOffset {
    std::array<std::uint8_t, 5> bytes{};

    static IdOffset of(std::uint64_t value);
    std::uint64_t value() const;
    explicit operator bool() const { return value() != 0; }
};

// Promise: a text stays where it is until it is freed; the bytes of a freed one are used again for
// the next of the same length, so churn does not grow it. Owner: a PlayerTable.
// A text lies behind one byte with its length, and never moves: chunks double from 256 bytes to
// 64 KiB.
class IdArena {
  public:
    IdOffset add(std::string_view text);
    void free(IdOffset offset);
    std::string_view text(IdOffset offset) const;
    void prefetch(IdOffset offset) const { __builtin_prefetch(block(offset.value())); }
    std::size_t memory_bytes() const;

  private:
    static constexpr unsigned kChunkBits = 16;
    static constexpr std::size_t kLargestChunk = std::size_t{1} << kChunkBits;
    static constexpr std::size_t kFirstChunk = 256;
    // Heads of the lists of free blocks, by length of text; a free block holds the next one.
    using FreeLists = std::array<IdOffset, kMaxPlayerId + 1>;

    static std::size_t block_size(std::size_t text_size);
    char* block(std::uint64_t offset) const {
        return chunks_[offset >> kChunkBits].get() + (offset & (kLargestChunk - 1));
    }

    std::vector<std::unique_ptr<char[]>> chunks_;
    std::size_t used_ = 0;      // of the last chunk
    std::size_t capacity_ = 0;  // of the last chunk
    std::size_t bytes_ = 0;
    std::unique_ptr<FreeLists> free_;  // made by the first free
};

// Promise: an id has one slot, a slot one id; both are found in O(1).
// Owner: a Board. Threads: one writer; readers while it rests.
// One hash set up to `split_at` players, then 64 by the hash's upper bits: a set that grows stops
// the writer for all that it holds (at 10M players 1.8 s with one set, 37 ms with 64).
class PlayerTable {
  public:
    static constexpr std::size_t kSplitAt = 65'536;

    // The seed of the ids' hash: unknown to clients, it keeps them from choosing ids that collide.
    explicit PlayerTable(std::uint64_t hash_seed = 0, std::size_t split_at = kSplitAt);
    PlayerTable(const PlayerTable&) = delete;
    PlayerTable& operator=(const PlayerTable&) = delete;

    std::optional<base::PlayerSlot> find(std::string_view id) const;
    bool in_use(base::PlayerSlot slot) const {
        return slot.value < ids_.size() && static_cast<bool>(ids_[slot.value]);
    }
    // CHECKs that the slot is in use. The view lives until the player is dropped.
    std::string_view id(base::PlayerSlot slot) const;
    void prefetch_id(base::PlayerSlot slot) const { arena_.prefetch(ids_[slot.value]); }

    std::size_t size() const { return ids_.size() - free_slots_.size(); }
    std::uint32_t slot_limit() const { return static_cast<std::uint32_t>(ids_.size()); }
    base::PlayerSlot upcoming_slot(std::size_t n) const;

    // CHECKs that the id is new.
    base::PlayerSlot add(std::string_view id);
    void drop(base::PlayerSlot slot);

    // Fills an empty table; slots that are skipped, or whose id is empty, are free.
    void load(const std::function<bool(base::PlayerSlot& slot, std::string_view& id)>& next);

    void check() const;
    std::size_t memory_bytes() const;

  private:
    struct Probe {
        std::string_view id;
        std::uint64_t hash;
    };
    struct Hash {
        using is_transparent = void;
        using is_avalanching = void;
        const PlayerTable* table;
        std::size_t operator()(std::uint32_t slot) const {
            return within_set(table->hash_of(table->id({slot})));
        }
        std::size_t operator()(const Probe& probe) const { return within_set(probe.hash); }
    };
    struct Equal {
        using is_transparent = void;
        const PlayerTable* table;
        bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
        bool operator()(const Probe& probe, std::uint32_t slot) const {
            return table->id({slot}) == probe.id;
        }
        bool operator()(std::uint32_t slot, const Probe& probe) const {
            return table->id({slot}) == probe.id;
        }
    };
    using Set = boost::unordered_flat_set<std::uint32_t, Hash, Equal>;

    static constexpr unsigned kSetBits = 6;
    static constexpr std::size_t kSets = std::size_t{1} << kSetBits;

    // The set takes its place from the upper bits, which are the same for all of one set.
    static std::size_t within_set(std::uint64_t hash) {
        return static_cast<std::size_t>((hash << kSetBits) | (hash >> (64 - kSetBits)));
    }
    std::uint64_t hash_of(std::string_view id) const;
    Set& set_for(std::uint64_t hash) {
        return sets_.size() == 1 ? sets_[0] : sets_[hash >> (64 - kSetBits)];
    }
    const Set& set_for(std::uint64_t hash) const {
        return sets_.size() == 1 ? sets_[0] : sets_[hash >> (64 - kSetBits)];
    }
    Set empty_set() const { return Set(0, Hash{this}, Equal{this}); }
    void split();

    std::uint64_t hash_seed_;
    std::size_t split_at_;
    IdArena arena_;
    Chunks<IdOffset> ids_;              // by slot; none for a free slot
    Chunks<std::uint32_t> free_slots_;  // given again from the back
    std::vector<Set> sets_;             // 1 or kSets
};

}  // namespace standings::ranking
