// Boards: moves that the bytes choose, on a board and on a plain model of it, which must agree.
#include <cstddef>
#include <cstdint>

#include "ranking/board_harness.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    standings::ranking::board_agrees_with_model(
        standings::ranking::Choices::from_bytes({data, size}));
    return 0;
}
