// Bodies of requests: submissions to boards of one and of three columns, boards made and patched.
#include <cstddef>
#include <cstdint>

#include "api/request_harness.h"

using namespace standings;

namespace {

ledger::BoardConfig three_columns() {
    ledger::BoardConfig config;
    config.title = "Three";
    config.rules = {.rule = ranking::Rule::kSum, .ties = ranking::Ties::kEarliest};
    config.rules.columns = {{.name = "points"},
                            {.name = "time", .order = ranking::Order::kAscending, .decimals = 3},
                            {.name = "wins", .decimals = 6}};
    config.limits[1] = {.min = 0, .max = 3'600'000};
    return config;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const ledger::BoardConfig kOne;
    static const ledger::BoardConfig kThree = three_columns();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const ledger::BoardConfig* config : {&kOne, &kThree}) {
        api::submission_comes_back(text, *config);
        api::board_request_is_sound(text, *config);
    }
    return 0;
}
