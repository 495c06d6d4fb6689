// Slots found by a hash: each look reads one cache line.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace standings::ranking {

// Promise: finds every slot that was inserted and not erased, by the hash it was inserted with.
// Owner: a PlayerTable, which keeps what the hashes are of. Threads: one writer; readers while it
// rests. Cost: one cache line, rarely a second one; growing takes time for all that it holds.
//
// A line has 16 cells of 4 bytes: a slot (26 bits) and six bits of its hash, which are never 0. A
// line that is full goes on in the next one. So a cell that is erased in a full line becomes a
// grave: it says that the line was full, and the next slot that comes may take it.
class SlotSet {
  public:
    std::size_t size() const { return size_; }
    std::size_t memory_bytes() const { return lines_.capacity() * sizeof(Line); }

    // The slot with this hash for which `is_it(slot)` holds; asked of about one slot in 63 more
    // than needed.
    template <class IsIt>
    std::optional<std::uint32_t> find(std::uint64_t hash, IsIt&& is_it) const {
        if (lines_.empty()) return std::nullopt;
        const std::uint32_t tag = tag_of(hash);
        for (std::size_t at = home_of(hash);; at = next(at)) {
            const Line& line = lines_[at];
            for (std::uint32_t same = line.with_tag(tag); same != 0; same &= same - 1) {
                const std::uint32_t slot = line.cells[first_of(same)] & kSlotMask;
                if (is_it(slot)) return slot;
            }
            if (line.with(kEmpty) != 0) return std::nullopt;
        }
    }

    // The line that find() looks at first comes into the cache.
    [[gnu::always_inline]] void prefetch(std::uint64_t hash) const {
        if (!lines_.empty()) __builtin_prefetch(&lines_[home_of(hash)]);
    }

    // Calls `visit(slot)` for each slot that find() would ask about in the first line.
    template <class Visit>
    void for_candidates(std::uint64_t hash, Visit&& visit) const {
        if (lines_.empty()) return;
        const Line& line = lines_[home_of(hash)];
        for (std::uint32_t same = line.with_tag(tag_of(hash)); same != 0; same &= same - 1) {
            visit(line.cells[first_of(same)] & kSlotMask);
        }
    }

    // The slot is new. `hashes(slots, count, out)` is asked of all slots, some at a time, when the
    // set grows: a miss each that the owner can ask for together.
    template <class Hashes>
    void insert(std::uint64_t hash, std::uint32_t slot, Hashes&& hashes) {
        DCHECK(slot <= kSlotMask);
        // With a fifth to spare: else it would be built anew for every few that come and go.
        if (size_ + graves_ >= most()) rebuild(lines_for((size_ + 1) * 5 / 4), hashes);
        place(hash, slot);
    }

    // CHECKs that the slot is there, under this hash.
    void erase(std::uint64_t hash, std::uint32_t slot) {
        CHECK(!lines_.empty());
        const std::uint32_t cell = cell_of(hash, slot);
        for (std::size_t at = home_of(hash);; at = next(at)) {
            Line& line = lines_[at];
            const bool full = line.with(kEmpty) == 0;
            if (const std::uint32_t same = line.with(cell); same != 0) {
                line.cells[first_of(same)] = full ? kGrave : kEmpty;
                graves_ += full ? 1 : 0;
                --size_;
                return;
            }
            CHECK(full);
        }
    }

    // Room for so many, so that none of them makes it grow. For an empty set.
    void reserve(std::size_t count) {
        CHECK(size_ == 0);
        lines_ = std::vector<Line>(lines_for(count));
        graves_ = 0;
    }

    template <class Visit>
    void for_each(Visit&& visit) const {
        for (const Line& line : lines_) {
            for (const std::uint32_t cell : line.cells) {
                if (holds_slot(cell)) visit(cell & kSlotMask);
            }
        }
    }

  private:
    static constexpr unsigned kSlotBits = 26;
    static constexpr std::uint32_t kSlotMask = (std::uint32_t{1} << kSlotBits) - 1;
    static constexpr std::uint32_t kEmpty = 0;
    static constexpr std::uint32_t kGrave = 1;  // no tag, and not empty
    static constexpr std::size_t kCells = 16;
    static constexpr std::size_t kAtOnce = 32;

    struct alignas(64) Line {
        std::array<std::uint32_t, kCells> cells{};

        // Bit i stands for cell i.
        std::uint32_t with(std::uint32_t cell) const { return matching<0>(cell); }
        std::uint32_t with_tag(std::uint32_t tag) const { return matching<kSlotBits>(tag); }

        // Cells whose bits from `Shift` on are `value`.
        template <int Shift>
        std::uint32_t matching(std::uint32_t value) const {
#ifdef __SSE2__
            const __m128i wanted = _mm_set1_epi32(static_cast<int>(value));
            const auto four = [&](std::size_t i) {
                const auto* at = reinterpret_cast<const __m128i*>(cells.data() + i);
                return _mm_cmpeq_epi32(_mm_srli_epi32(_mm_load_si128(at), Shift), wanted);
            };
            const __m128i low = _mm_packs_epi32(four(0), four(4));
            const __m128i high = _mm_packs_epi32(four(8), four(12));
            return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
#else
            std::uint32_t bits = 0;
            for (std::size_t i = 0; i < kCells; ++i) {
                bits |= static_cast<std::uint32_t>((cells[i] >> Shift) == value) << i;
            }
            return bits;
#endif
        }
    };

    static bool holds_slot(std::uint32_t cell) {
        return cell >> kSlotBits != 0;
    }
    static std::size_t first_of(std::uint32_t bits) {
        return static_cast<std::size_t>(std::countr_zero(bits));
    }

    // The upper bits of the hash are for the owner, which parts its players by them.
    static std::uint32_t tag_of(std::uint64_t hash) {
        const auto bits = static_cast<std::uint32_t>(hash >> 48) & 63;
        return bits == 0 ? 63 : bits;
    }
    static std::uint32_t cell_of(std::uint64_t hash, std::uint32_t slot) {
        return (tag_of(hash) << kSlotBits) | slot;
    }
    std::size_t home_of(std::uint64_t hash) const {
        return static_cast<std::size_t>(hash) & (lines_.size() - 1);
    }
    std::size_t next(std::size_t line) const {
        return (line + 1) & (lines_.size() - 1);
    }

    // Four fifths full at most: there is always an empty cell to end a search.
    static std::size_t most_in(std::size_t lines) {
        return lines * kCells * 4 / 5;
    }
    std::size_t most() const {
        return most_in(lines_.size());
    }
    static std::size_t lines_for(std::size_t count) {
        std::size_t lines = 1;
        while (most_in(lines) < count) lines *= 2;
        return lines;
    }

    void place(std::uint64_t hash, std::uint32_t slot) {
        for (std::size_t at = home_of(hash);; at = next(at)) {
            Line& line = lines_[at];
            const std::uint32_t grave = line.with(kGrave);
            const std::uint32_t free = grave | line.with(kEmpty);
            if (free == 0) continue;
            // A line has graves or empty cells, never both.
            line.cells[first_of(free)] = cell_of(hash, slot);
            graves_ -= grave != 0 ? 1 : 0;
            ++size_;
            return;
        }
    }

    template <class Hashes>
    void rebuild(std::size_t lines, Hashes&& hashes) {
        SlotSet old;
        old.lines_ = std::exchange(lines_, std::vector<Line>(lines));
        size_ = graves_ = 0;
        std::array<std::uint32_t, kAtOnce> slots;
        std::array<std::uint64_t, kAtOnce> found;
        std::size_t count = 0;
        const auto place_all = [&] {
            hashes(slots.data(), count, found.data());
            for (std::size_t i = 0; i < count; ++i) place(found[i], slots[i]);
            count = 0;
        };
        old.for_each([&](std::uint32_t slot) {
            slots[count++] = slot;
            if (count == kAtOnce) place_all();
        });
        place_all();
    }

    std::vector<Line> lines_;  // none, or a power of two
    std::size_t size_ = 0;
    std::size_t graves_ = 0;
};

}  // namespace standings::ranking
