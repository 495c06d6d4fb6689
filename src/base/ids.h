// Numbers that must not be mixed up.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace standings::base {

// A number with a meaning: compares with its own kind only, and costs nothing.
template <class Tag, class Rep>
struct Id {
    Rep value{};
    friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

// Position in the ledger, from 1 on; 0 is "none". It fits 48 bits: at 100,000 events a second that
// lasts 89 years.
using Sequence = Id<struct SequenceTag, std::uint64_t>;
// A board; never given twice in one database.
using BoardId = Id<struct BoardTag, std::uint32_t>;
// One life of a board's rows: a reset gives the board a new one. Never given twice; 0 is "none".
using RankingId = Id<struct RankingTag, std::uint32_t>;
// A player's place in a board's table, in order of first appearance from 0 on.
using PlayerSlot = Id<struct PlayerSlotTag, std::uint32_t>;

inline constexpr PlayerSlot kNoSlot{UINT32_MAX};
inline constexpr std::uint64_t kMaxSequence = (std::uint64_t{1} << 48) - 1;

// 1 for the best.
using Rank = Id<struct RankTag, std::uint32_t>;
// 1, 2, 3 ... always unique.
using Position = Id<struct PositionTag, std::uint32_t>;

// 128 bits of a keyed hash; {0, 0} is "none".
struct Hash128 {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend constexpr auto operator<=>(const Hash128&, const Hash128&) = default;
    explicit operator bool() const { return (high | low) != 0; }
};

}  // namespace standings::base

template <class Tag, class Rep>
struct std::hash<standings::base::Id<Tag, Rep>> {
    std::size_t operator()(const standings::base::Id<Tag, Rep>& value) const noexcept {
        return std::hash<Rep>{}(value.value);
    }
};

template <>
struct std::hash<standings::base::Hash128> {
    std::size_t operator()(const standings::base::Hash128& value) const noexcept {
        return static_cast<std::size_t>(value.low);
    }
};
