// A start from damaged files: the damage is found, or means nothing.
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
    harness.damage_is_found_or_means_nothing({data, size});
    return 0;
}
