#include "base/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/check.h"

namespace standings::base {

void SystemRandom::fill(std::span<std::byte> out) {
    while (!out.empty()) {
        const auto got = getrandom(out.data(), out.size(), 0);
        if (got < 0) {
            CHECK(errno == EINTR);
            continue;
        }
        out = out.subspan(static_cast<std::size_t>(got));
    }
}

void SeededRandom::fill(std::span<std::byte> out) {
    for (std::byte& byte : out) byte = static_cast<std::byte>(engine_());
}

}  // namespace standings::base
