// What a rank index is ordered by: scores, the seq that reached them and the player, in one number.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/ids.h"
#include "ranking/rules.h"
#include "ranking/score.h"

namespace standings::ranking {

// Promise: of two entries the one with the smaller key is ahead. The key is the big number
// score_1 .. score_n (54 bits each, the last one beside the seq) : seq (48) : slot (26), most
// significant word first, and so holds all that the index has to keep: 16 bytes with one column.
template <std::size_t Columns>
struct RankKey {
    static_assert(Columns >= 1 && Columns <= kMaxColumns);
    static constexpr unsigned kSlotBits = 26;
    static constexpr unsigned kSequenceBits = 48;
    // Of the seq, what lies in the last score's word and what in the slot's.
    static constexpr unsigned kHighBits = 10;
    static constexpr unsigned kLowBits = kSequenceBits - kHighBits;
    static constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;

    std::array<std::uint64_t, Columns + 1> words{};

    base::PlayerSlot slot() const {
        return {static_cast<std::uint32_t>(words[Columns] & kSlotMask)};
    }

    // The key in front of all that have these scores.
    RankKey first_of_equals() const {
        RankKey first = *this;
        first.words[Columns - 1] &= ~((std::uint64_t{1} << kHighBits) - 1);
        first.words[Columns] = 0;
        return first;
    }

    friend bool operator==(const RankKey&, const RankKey&) = default;

    // Without a branch: which way a comparison goes is a coin toss that no CPU predicts.
    friend bool operator<(const RankKey& a, const RankKey& b) {
        if constexpr (Columns == 1) {
            __extension__ using Wide = unsigned __int128;
            return ((Wide{a.words[0]} << 64) | a.words[1]) <
                   ((Wide{b.words[0]} << 64) | b.words[1]);
        } else {
            unsigned less = 0;
            for (std::size_t i = Columns + 1; i-- > 0;) {
                less = static_cast<unsigned>(a.words[i] < b.words[i]) |
                       (static_cast<unsigned>(a.words[i] == b.words[i]) & less);
            }
            return less != 0;
        }
    }
};

// Makes keys by the orders of a board's columns.
template <std::size_t Columns>
class KeyMaker {
  public:
    using Key = RankKey<Columns>;

    explicit KeyMaker(const Rules& rules) {
        CHECK(rules.columns.size() == Columns);
        for (std::size_t i = 0; i < Columns; ++i) {
            descending_[i] = rules.columns[i].order == Order::kDescending;
        }
    }

    // Scores within +-kMaxUnits, the seq within kMaxSequence.
    Key key(const std::array<std::int64_t, Columns>& units, std::uint64_t reached_seq,
            std::uint32_t slot) const {
        DCHECK(reached_seq <= base::kMaxSequence && slot <= Key::kSlotMask);
        Key key;
        for (std::size_t i = 0; i < Columns; ++i) {
            DCHECK(units[i] >= -kMaxUnits && units[i] <= kMaxUnits);
            key.words[i] =
                static_cast<std::uint64_t>(kBias + (descending_[i] ? -units[i] : units[i]));
        }
        key.words[Columns - 1] =
            (key.words[Columns - 1] << Key::kHighBits) | (reached_seq >> Key::kLowBits);
        key.words[Columns] = (reached_seq << Key::kSlotBits) | slot;
        return key;
    }

  private:
    static constexpr std::int64_t kBias = kMaxUnits + 1;
    std::array<bool, Columns> descending_{};
};

}  // namespace standings::ranking
