// Request targets, cursors and the numbers of queries.
#include <cstddef>
#include <cstdint>

#include "api/request_harness.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    standings::api::target_is_sound(text);
    standings::api::query_value_comes_back(text);
    return 0;
}
