#include "ranking/player_table.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace standings::ranking {

// --- IdArena --------------------------------------------------------------------------------

std::size_t IdArena::block_size(std::size_t text_size) {
    // A free block holds its length and the next offset.
    return 1 + std::max(text_size, sizeof(IdOffset));
}

IdOffset IdArena::add(std::string_view text) {
    CHECK(!text.empty() && text.size() <= kMaxPlayerId);
    IdOffset offset;
    if (free_ != nullptr && (*free_)[text.size()]) {
        IdOffset& head = (*free_)[text.size()];
        offset = head;
        std::memcpy(&head, block(offset.value()) + 1, sizeof head);
    } else {
        const std::size_t size = block_size(text.size());
        if (capacity_ - used_ < size) {
            capacity_ = std::clamp(capacity_ * 2, kFirstChunk, kLargestChunk);
            bytes_ += capacity_;
            chunks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
            // Offset 0 means none.
            used_ = chunks_.size() == 1 ? 1 : 0;
        }
        offset = IdOffset::of(((chunks_.size() - 1) << kChunkBits) | used_);
        used_ += size;
    }
    char* at = block(offset.value());
    at[0] = static_cast<char>(text.size());
    std::memcpy(at + 1, text.data(), text.size());
    return offset;
}

void IdArena::free(IdOffset offset) {
    if (free_ == nullptr) free_ = std::make_unique<FreeLists>();
    IdOffset& head = (*free_)[text(offset).size()];
    std::memcpy(block(offset.value()) + 1, &head, sizeof head);
    head = offset;
}

std::size_t IdArena::memory_bytes() const {
    return bytes_ + chunks_.capacity() * sizeof(chunks_[0]) +
           (free_ != nullptr ? sizeof(FreeLists) : 0);
}

// --- PlayerTable ----------------------------------------------------------------------------

PlayerTable::PlayerTable(std::uint64_t hash_seed, std::size_t split_at)
    : hash_seed_(hash_seed), split_at_(split_at) {
    sets_.resize(1);
}

std::uint64_t PlayerTable::hash_of(std::string_view id) const {
    return base::hash64(id, hash_seed_);
}

void PlayerTable::insert(std::uint64_t hash, base::PlayerSlot slot) {
    const auto hashes = [this](const std::uint32_t* slots, std::size_t count, std::uint64_t* out) {
        hash_all(slots, count, out);
    };
    set_for(hash).insert(hash, slot.value, hashes);
}

// Where an id lies and its bytes are a miss each: all are asked for before the first is read.
void PlayerTable::hash_all(const std::uint32_t* slots, std::size_t count,
                           std::uint64_t* out) const {
    for (std::size_t i = 0; i < count; ++i) __builtin_prefetch(&ids_[slots[i]]);
    for (std::size_t i = 0; i < count; ++i) prefetch_id({slots[i]});
    for (std::size_t i = 0; i < count; ++i) out[i] = hash_of(id({slots[i]}));
}

base::PlayerSlot PlayerTable::upcoming_slot(std::size_t n) const {
    const std::size_t reusable = free_slots_.size();
    if (n < reusable) return {free_slots_[reusable - 1 - n]};
    return {static_cast<std::uint32_t>(ids_.size() + (n - reusable))};
}

base::PlayerSlot PlayerTable::add(std::string_view id) {
    const std::uint64_t hash = hash_of(id);
    CHECK(!find_hashed(hash, id));
    if (sets_.size() == 1 && size() >= split_at_) split();
    const base::PlayerSlot slot = upcoming_slot(0);
    if (free_slots_.size() > 0) {
        free_slots_.pop_back();
    } else {
        ids_.grow_to(std::size_t{slot.value} + 1);
    }
    ids_[slot.value] = arena_.add(id);
    insert(hash, slot);
    return slot;
}

void PlayerTable::drop(base::PlayerSlot slot) {
    const std::uint64_t hash = hash_of(id(slot));
    set_for(hash).erase(hash, slot.value);
    arena_.free(ids_[slot.value]);
    ids_[slot.value] = IdOffset{};
    free_slots_.push_back(slot.value);
}

void PlayerTable::split() {
    const SlotSet whole = std::move(sets_[0]);
    sets_ = std::vector<SlotSet>(kSets);
    whole.for_each([this](std::uint32_t slot) { insert(hash_of(id({slot})), {slot}); });
}

std::optional<base::PlayerSlot> PlayerTable::load(
    const std::function<bool(base::PlayerSlot& slot, std::string_view& id)>& next) {
    CHECK(ids_.size() == 0);
    base::PlayerSlot slot;
    std::string_view id;
    while (next(slot, id)) {
        CHECK(slot.value >= ids_.size());
        while (ids_.size() < slot.value) {
            free_slots_.push_back(slot_limit());
            ids_.grow_to(ids_.size() + 1);
        }
        ids_.grow_to(std::size_t{slot.value} + 1);
        if (id.empty()) {
            free_slots_.push_back(slot.value);
        } else {
            ids_[slot.value] = arena_.add(id);
        }
    }
    // The sets come last, when it is known how large they get: none has to grow.
    if (size() > split_at_) split();
    const std::size_t each = size() / sets_.size();
    for (SlotSet& set : sets_) set.reserve(each + each / 32);
    std::array<std::uint32_t, kAtOnce> slots;
    for (std::uint32_t next_slot = 0; next_slot < slot_limit();) {
        std::size_t count = 0;
        for (; next_slot < slot_limit() && count < kAtOnce; ++next_slot) {
            if (in_use({next_slot})) slots[count++] = next_slot;
        }
        if (const auto twice = insert_new(slots.data(), count)) return twice;
    }
    return std::nullopt;
}

std::optional<base::PlayerSlot> PlayerTable::insert_new(const std::uint32_t* slots,
                                                        std::size_t count) {
    std::array<std::uint64_t, kAtOnce> hashes;
    hash_all(slots, count, hashes.data());
    for (std::size_t i = 0; i < count; ++i) set_for(hashes[i]).prefetch(hashes[i]);
    for (std::size_t i = 0; i < count; ++i) {
        if (find_hashed(hashes[i], this->id({slots[i]}))) return base::PlayerSlot{slots[i]};
        insert(hashes[i], {slots[i]});
    }
    return std::nullopt;
}

void PlayerTable::check() const {
    std::size_t in_sets = 0;
    for (const SlotSet& set : sets_) in_sets += set.size();
    CHECK(in_sets == size());
    std::size_t used = 0;
    for (std::uint32_t i = 0; i < slot_limit(); ++i) {
        if (!in_use({i})) continue;
        ++used;
        CHECK(find(id({i})) == base::PlayerSlot{i});
    }
    CHECK(used == size());
    for (std::size_t i = 0; i < free_slots_.size(); ++i) CHECK(!in_use({free_slots_[i]}));
}

std::size_t PlayerTable::memory_bytes() const {
    std::size_t bytes = sets_.capacity() * sizeof(SlotSet);
    for (const SlotSet& set : sets_) bytes += set.memory_bytes();
    return bytes + arena_.memory_bytes() + ids_.memory_bytes() + free_slots_.memory_bytes();
}

}  // namespace standings::ranking
