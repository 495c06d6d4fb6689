// Names for simulated players, from scripts all over the world.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "demo/chance.h"

namespace standings::demo {

enum class Script : std::uint8_t {
    kLatin,
    kNordic,
    kTurkish,
    kVietnamese,
    kCyrillic,
    kGreek,
    kArabic,
    kHebrew,
    kDevanagari,
    kThai,
    kJapanese,
    kKorean,
    kChinese,
    kGamer,  // Latin with digits or an emoji
};
inline constexpr std::size_t kScripts = 14;

struct Naming {
    Script script;
    double share;    // of all players
    double evening;  // when these players are awake most: hours of UTC
};
// In the order of Script; the shares add up to 1.
const std::array<Naming, kScripts>& namings();

// A name of 2 to about 16 characters in this script: in normal form, without control or direction
// characters. Made from syllables; that it is somebody's is chance.
std::string make_name(Script script, Chance& chance);

}  // namespace standings::demo
