#include "ranking/player_table.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace standings::ranking {

IdOffset IdOffset::of(std::uint64_t value) {
    IdOffset offset;
    std::memcpy(offset.bytes.data(), &value, offset.bytes.size());
    return offset;
}

std::uint64_t IdOffset::value() const {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
}

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

std::string_view IdArena::text(IdOffset offset) const {
    const char* at = block(offset.value());
    return {at + 1, static_cast<unsigned char>(at[0])};
}

std::size_t IdArena::memory_bytes() const {
    return bytes_ + chunks_.capacity() * sizeof(chunks_[0]) +
           (free_ != nullptr ? sizeof(FreeLists) : 0);
}

// --- PlayerTable ----------------------------------------------------------------------------

PlayerTable::PlayerTable(std::uint64_t hash_seed, std::size_t split_at)
    : hash_seed_(hash_seed), split_at_(split_at) {
    sets_.reserve(1);
    sets_.push_back(empty_set());
}

std::uint64_t PlayerTable::hash_of(std::string_view id) const {
    return base::hash64(id, hash_seed_);
}

std::optional<base::PlayerSlot> PlayerTable::find(std::string_view id) const {
    const Probe probe{id, hash_of(id)};
    const Set& set = set_for(probe.hash);
    const auto at = set.find(probe);
    if (at == set.end()) return std::nullopt;
    return base::PlayerSlot{*at};
}

std::string_view PlayerTable::id(base::PlayerSlot slot) const {
    CHECK(in_use(slot));
    return arena_.text(ids_[slot.value]);
}

base::PlayerSlot PlayerTable::upcoming_slot(std::size_t n) const {
    const std::size_t reusable = free_slots_.size();
    if (n < reusable) return {free_slots_[reusable - 1 - n]};
    return {static_cast<std::uint32_t>(ids_.size() + (n - reusable))};
}

base::PlayerSlot PlayerTable::add(std::string_view id) {
    const Probe probe{id, hash_of(id)};
    Set* set = &set_for(probe.hash);
    CHECK(set->find(probe) == set->end());
    if (sets_.size() == 1 && size() >= split_at_) {
        split();
        set = &set_for(probe.hash);
    }
    const base::PlayerSlot slot = upcoming_slot(0);
    if (free_slots_.size() > 0) {
        free_slots_.pop_back();
    } else {
        ids_.grow_to(std::size_t{slot.value} + 1);
    }
    ids_[slot.value] = arena_.add(id);
    set->insert(slot.value);
    return slot;
}

void PlayerTable::drop(base::PlayerSlot slot) {
    const std::string_view text = id(slot);
    const Probe probe{text, hash_of(text)};
    Set& set = set_for(probe.hash);
    const auto at = set.find(probe);
    CHECK(at != set.end() && *at == slot.value);
    set.erase(at);
    arena_.free(ids_[slot.value]);
    ids_[slot.value] = IdOffset{};
    free_slots_.push_back(slot.value);
}

void PlayerTable::split() {
    std::vector<Set> sets;
    sets.reserve(kSets);
    for (std::size_t i = 0; i < kSets; ++i) sets.push_back(empty_set());
    const Set whole = std::move(sets_[0]);
    sets_ = std::move(sets);
    for (const std::uint32_t slot : whole) set_for(hash_of(id({slot}))).insert(slot);
}

void PlayerTable::load(
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
    for (Set& set : sets_) set.reserve(each + each / 32);
    for (std::uint32_t i = 0; i < slot_limit(); ++i) {
        if (!in_use({i})) continue;
        const std::string_view text = arena_.text(ids_[i]);
        const bool is_new = set_for(hash_of(text)).insert(i).second;
        CHECK(is_new);
    }
}

void PlayerTable::check() const {
    std::size_t in_sets = 0;
    for (const Set& set : sets_) in_sets += set.size();
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
    // A group of 15 slots of the set has 16 bytes beside them.
    std::size_t bytes = sets_.capacity() * sizeof(Set);
    for (const Set& set : sets_) {
        bytes += (set.bucket_count() + 1) / 15 * (16 + 15 * sizeof(std::uint32_t));
    }
    return bytes + arena_.memory_bytes() + ids_.memory_bytes() + free_slots_.memory_bytes();
}

}  // namespace standings::ranking
