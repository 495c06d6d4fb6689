// JSON of requests: refused with a sentence, or the same when it is written and read again.
#include <cstddef>
#include <cstdint>

#include "text/json_harness.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    standings::text::json_comes_back({reinterpret_cast<const char*>(data), size});
    return 0;
}
