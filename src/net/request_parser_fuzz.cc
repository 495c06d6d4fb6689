// HTTP framing: requests, bodies and refusals are the same however the bytes arrive.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/parse_harness.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace standings::net;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    reads_the_same_however_cut(bytes);
    reads_the_same_however_cut(bytes, small_limits());
    return 0;
}
