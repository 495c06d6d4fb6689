// A start from damaged files: the damage is found, or means nothing; from whole rows that say
// something else: an error, or boards whose structure holds.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "engine/recovery_harness.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // In memory where there is such a folder: a disk would be waited for at every start.
    static const int kInMemory =
        access("/dev/shm", W_OK) == 0 ? setenv("TMPDIR", "/dev/shm", 0) : 0;
    static standings::engine::RecoveryHarness harness;
    static_cast<void>(kInMemory);
    standings::base::ByteFeed feed(data, size);
    if (feed.pick(2) == 0) {
        harness.damage_is_found_or_means_nothing(feed);
    } else {
        harness.nonsense_is_refused_or_holds(feed);
    }
    return 0;
}
