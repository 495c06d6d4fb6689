#include <gtest/gtest.h>

#include <array>
#include <random>

#include "engine/recovery_harness.h"

namespace standings::engine {
namespace {

TEST(Recovery, FindsDamageOrServesWhatWasThere) {
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(ledger::test_seed()));
    std::mt19937_64 random(ledger::test_seed());
    RecoveryHarness harness;
    for (int i = 0; i < 100; ++i) {
        std::array<std::uint8_t, 8> damage{};
        for (std::uint8_t& byte : damage) byte = static_cast<std::uint8_t>(random());
        // One changed byte, or two.
        harness.damage_is_found_or_means_nothing({damage.data(), 4 + random() % 2 * 4});
    }
}

TEST(Recovery, RefusesRowsThatContradictEachOtherOrServesWhatHolds) {
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(ledger::test_seed()));
    std::mt19937_64 random(ledger::test_seed());
    RecoveryHarness harness;
    for (int i = 0; i < 100; ++i) {
        std::array<std::uint8_t, 24> choices{};
        for (std::uint8_t& byte : choices) byte = static_cast<std::uint8_t>(random());
        harness.nonsense_is_refused_or_holds({choices.data(), choices.size()});
    }
}

}  // namespace
}  // namespace standings::engine
