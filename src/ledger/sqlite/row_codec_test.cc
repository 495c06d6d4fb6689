#include "ledger/sqlite/row_codec.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "ledger/sqlite/row_harness.h"
#include "ledger/tiny_engine.h"

namespace standings::ledger::sqlite {
namespace {

TEST(RowCodec, ReadsBackWhatItBinds) {
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(test_seed()));
    std::mt19937_64 random(test_seed());
    RowHarness harness;
    std::vector<std::uint8_t> bytes(400);
    for (int i = 0; i < 500; ++i) {
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
        for (const auto check : {&RowHarness::read_any_row, &RowHarness::event_comes_back,
                                 &RowHarness::entry_comes_back, &RowHarness::player_comes_back}) {
            base::ByteFeed feed(bytes.data(), bytes.size());
            (harness.*check)(feed);
        }
    }
}

}  // namespace
}  // namespace standings::ledger::sqlite
