// Rows of events, entries and players: any values are read without harm, records come back.
#include <cstddef>
#include <cstdint>

#include "ledger/sqlite/row_harness.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static standings::ledger::sqlite::RowHarness harness;
    standings::base::ByteFeed feed(data, size);
    switch (feed.pick(4)) {
        case 0:
            harness.read_any_row(feed);
            break;
        case 1:
            harness.event_comes_back(feed);
            break;
        case 2:
            harness.entry_comes_back(feed);
            break;
        default:
            harness.player_comes_back(feed);
    }
    return 0;
}
