// Which player is which slot: ids in an arena, and a hash set of slots over it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/ids.h"
#include "ranking/board.h"
#include "ranking/chunks.h"
#include "ranking/slot_set.h"

namespace standings::ranking {

// Where a text lies in an IdArena; 40 bits, 0 is "none".
struct IdOffset {
    std::array<std::uint8_t, 5> bytes{};

    static IdOffset of(std::uint64_t value) {
        IdOffset offset;
        std::memcpy(offset.bytes.data(), &value, sizeof bytes);
        return offset;
    }
    std::uint64_t value() const {
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data(), sizeof bytes);
        return value;
    }
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
    std::string_view text(IdOffset offset) const {
        const char* at = block(offset.value());
        return {at + 1, static_cast<unsigned char>(at[0])};
    }
    // Always inlined, as all that only asks for memory: GCC sees no effect and drops the call.
    [[gnu::always_inline]] void prefetch(IdOffset offset) const {
        __builtin_prefetch(block(offset.value()));
    }
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

    std::optional<base::PlayerSlot> find(std::string_view id) const {
        return find_hashed(hash_of(id), id);
    }
    // `meet(slot)` is called before the id is compared: what is asked for then arrives meanwhile.
    template <class Meet>
    std::optional<base::PlayerSlot> find(std::string_view id, Meet&& meet) const {
        return find_hashed(hash_of(id), id, meet);
    }
    // What find() reads first comes into the cache, without a wait.
    [[gnu::always_inline]] void prefetch(std::string_view id) const {
        const std::uint64_t hash = hash_of(id);
        set_for(hash).prefetch(hash);
    }
    // Calls `visit(slot)` for the slots that are most likely this player's, without a look at their
    // ids: seldom none, seldom two.
    template <class Visit>
    void for_candidates(std::string_view id, Visit&& visit) const {
        const std::uint64_t hash = hash_of(id);
        set_for(hash).for_candidates(hash,
                                     [&](std::uint32_t slot) { visit(base::PlayerSlot{slot}); });
    }
    // Where the id of a slot is kept comes into the cache; then prefetch_id() does not wait.
    [[gnu::always_inline]] void prefetch_slot(base::PlayerSlot slot) const {
        __builtin_prefetch(&ids_[slot.value]);
    }
    bool in_use(base::PlayerSlot slot) const {
        return slot.value < ids_.size() && static_cast<bool>(ids_[slot.value]);
    }
    // CHECKs that the slot is in use. The view lives until the player is dropped.
    std::string_view id(base::PlayerSlot slot) const {
        CHECK(in_use(slot));
        return arena_.text(ids_[slot.value]);
    }
    [[gnu::always_inline]] void prefetch_id(base::PlayerSlot slot) const {
        arena_.prefetch(ids_[slot.value]);
    }

    std::size_t size() const { return ids_.size() - free_slots_.size(); }
    std::uint32_t slot_limit() const { return static_cast<std::uint32_t>(ids_.size()); }
    base::PlayerSlot upcoming_slot(std::size_t n) const;

    // CHECKs that the id is new.
    base::PlayerSlot add(std::string_view id);
    void drop(base::PlayerSlot slot);

    // Fills an empty table; slots that are skipped, or whose id is empty, are free. Answers a slot
    // whose id another one has too: then the table is of no use. None: all is well.
    std::optional<base::PlayerSlot> load(
        const std::function<bool(base::PlayerSlot& slot, std::string_view& id)>& next);

    void check() const;
    std::size_t memory_bytes() const;

  private:
    static constexpr unsigned kSetBits = 6;
    static constexpr std::size_t kSets = std::size_t{1} << kSetBits;
    static constexpr std::size_t kAtOnce = 32;

    std::uint64_t hash_of(std::string_view id) const;
    SlotSet& set_for(std::uint64_t hash) {
        return sets_.size() == 1 ? sets_[0] : sets_[hash >> (64 - kSetBits)];
    }
    const SlotSet& set_for(std::uint64_t hash) const {
        return sets_.size() == 1 ? sets_[0] : sets_[hash >> (64 - kSetBits)];
    }
    template <class Meet>
    std::optional<base::PlayerSlot> find_hashed(std::uint64_t hash, std::string_view id,
                                                Meet&& meet) const {
        const auto slot = set_for(hash).find(hash, [&](std::uint32_t candidate) {
            meet(base::PlayerSlot{candidate});
            return this->id({candidate}) == id;
        });
        if (!slot) return std::nullopt;
        return base::PlayerSlot{*slot};
    }
    std::optional<base::PlayerSlot> find_hashed(std::uint64_t hash, std::string_view id) const {
        return find_hashed(hash, id, [](base::PlayerSlot) {});
    }
    void insert(std::uint64_t hash, base::PlayerSlot slot);
    // At most kAtOnce. Answers the first one whose id is not new, and ends there.
    std::optional<base::PlayerSlot> insert_new(const std::uint32_t* slots, std::size_t count);
    void hash_all(const std::uint32_t* slots, std::size_t count, std::uint64_t* out) const;
    void split();

    std::uint64_t hash_seed_;
    std::size_t split_at_;
    IdArena arena_;
    Chunks<IdOffset> ids_;              // by slot; none for a free slot
    Chunks<std::uint32_t> free_slots_;  // given again from the back
    std::vector<SlotSet> sets_;         // 1 or kSets
};

}  // namespace standings::ranking
