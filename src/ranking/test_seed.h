// Seeds of random tests: chosen anew each run, or given to repeat one.
#pragma once

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace standings::ranking {

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

inline volatile std::uint64_t running_seed = 0;

// A failed CHECK aborts; this line is all that a person needs to see it again.
inline void say_seed(int) {
    std::fprintf(stderr, "To repeat: STANDINGS_SEED=%llu ranking_test\n",
                 static_cast<unsigned long long>(running_seed));
}

// Runs `test(seed)` for `runs` seeds times STANDINGS_TEST_SCALE, or for STANDINGS_SEED alone. Says
// the seed when the process aborts; a test that fails otherwise says it itself.
template <class Test>
void run_seeds(std::uint64_t runs, Test test) {
    const auto before = std::signal(SIGABRT, say_seed);
    const bool is_given = std::getenv("STANDINGS_SEED") != nullptr;
    const std::uint64_t first = is_given ? number_from("STANDINGS_SEED", 0)
                                         : std::random_device()() * std::uint64_t{1'000'000};
    runs = is_given ? 1 : runs * number_from("STANDINGS_TEST_SCALE", 1);
    for (std::uint64_t i = 0; i < runs; ++i) {
        running_seed = first + i;
        test(first + i);
    }
    std::signal(SIGABRT, before);
}

}  // namespace standings::ranking
