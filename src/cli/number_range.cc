#include "cli/number_range.h"

#include <charconv>
#include <string>

namespace standings::cli {
namespace {

// `range` is "1 to 9"; empty: any.
template <class Number>
CLI::Validator in_range(Number least, Number most, const std::string& kind,
                        const std::string& range) {
    const auto judge = [=](const std::string& text) -> std::string {
        Number number{};
        const char* end = text.data() + text.size();
        const auto [at, failure] = std::from_chars(text.data(), end, number);
        if (failure == std::errc{} && at == end && number >= least && number <= most) return {};
        return "it is " + kind + (range.empty() ? "" : " from " + range) + ", not '" + text + "'";
    };
    return CLI::Validator(judge, range);
}

}  // namespace

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
    const bool is_any = least == 0 && most >= UINT32_MAX;
    return in_range(least, most, "a whole number",
                    is_any ? "" : std::to_string(least) + " to " + std::to_string(most));
}

CLI::Validator any_number(double least, double most) {
    const auto text = [](double number) {
        char digits[32];
        return std::string(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
    };
    return in_range(least, most, "a number", text(least) + " to " + text(most));
}

}  // namespace standings::cli
