// A bug on purpose, behind four comparisons: a fuzzer that does not find it within seconds is not
// guided by coverage, and what it says about the other targets is worth nothing.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    if (data[0] == 'b')
        if (data[1] == 'i')
            if (data[2] == 'r')
                if (data[3] == 'd') {
                    std::fputs("the canary died, as it must\n", stderr);
                    std::abort();
                }
    return 0;
}
