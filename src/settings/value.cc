#include "settings/value.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace standings::settings {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

struct Unit {
    std::string_view name;
    std::int64_t size;
};

constexpr Unit kByteUnits[] = {
    {"", 1},
    {"B", 1},
    {"KB", 1000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", 1 << 10},
    {"MiB", 1 << 20},
    {"GiB", 1 << 30},
    {"TiB", std::int64_t{1} << 40},
};
constexpr Unit kTimeUnits[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000},
};

// A whole number and one of `units` behind it.
std::optional<std::int64_t> parse_amount(std::string_view text, std::span<const Unit> units) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} || number < 0) return std::nullopt;
    std::string_view name(at, static_cast<std::size_t>(end - at));
    if (name.starts_with(' ')) name.remove_prefix(1);
    for (const Unit& unit : units) {
        if (unit.name != name) continue;
        std::int64_t product = 0;
        if (__builtin_mul_overflow(number, unit.size, &product)) return std::nullopt;
        return product;
    }
    return std::nullopt;
}

// Of what only the place that uses it can judge wholly, the part that can be seen from the text.
bool looks_like_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return false;
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data() + colon + 1, end, port);
    return failure == std::errc{} && at == end;
}

std::optional<std::int64_t> number_of(const Setting& setting, std::string_view text) {
    switch (setting.type) {
        case Type::kBytes:
            return parse_amount(text, kByteUnits);
        case Type::kDuration:
            if (text == "0") return 0;
            return parse_amount(text, kTimeUnits);
        case Type::kCount:
            return parse_amount(text, std::span(kByteUnits, 1));
        case Type::kFlag:
            if (text == "true" || text == "1" || text == "yes" || text == "on") return 1;
            if (text == "false" || text == "0" || text == "no" || text == "off") return 0;
            return std::nullopt;
        case Type::kChoice:
            if (text.empty()) return std::nullopt;
            if (std::find(setting.choices.begin(), setting.choices.end(), text) ==
                setting.choices.end()) {
                return std::nullopt;
            }
            return 0;
        case Type::kAddress:
            if (!looks_like_address(text)) return std::nullopt;
            return 0;
        case Type::kPath:
            if (text.empty()) return std::nullopt;
            return 0;
        case Type::kText:
        case Type::kSecret:
            return 0;
    }
    return std::nullopt;
}

bool is_number(Type type) {
    return type == Type::kBytes || type == Type::kDuration || type == Type::kCount;
}

std::string write_amount(std::int64_t number, std::span<const Unit> units) {
    const Unit* best = &units.front();
    for (const Unit& unit : units) {
        if (number % unit.size == 0 && unit.size > best->size && number != 0) best = &unit;
    }
    return std::to_string(number / best->size) + std::string(best->name);
}

}  // namespace

std::string write_bytes(std::int64_t bytes) {
    return write_amount(bytes, std::span(kByteUnits).subspan(1));
}

std::string write_duration(std::int64_t ms) {
    return ms == 0 ? "0" : write_amount(ms, kTimeUnits);
}

std::string allowed(const Setting& setting) {
    const auto range = [&](std::string (*write)(std::int64_t)) {
        return setting.most == INT64_MAX
                   ? std::string()
                   : " from " + write(setting.least) + " to " + write(setting.most);
    };
    switch (setting.type) {
        case Type::kBytes:
            return "a size" + range(write_bytes) + ", like 64KiB, 64MB or 65536";
        case Type::kDuration:
            return "a time" + range(write_duration) + ", like 500ms, 10s, 5m, 24h or 30d";
        case Type::kCount:
            return "a whole number" + range([](std::int64_t n) { return std::to_string(n); });
        case Type::kFlag:
            return "true or false";
        case Type::kChoice: {
            std::string words;
            for (const std::string_view word : setting.choices) {
                if (word.empty()) break;
                words += (words.empty() ? "one of " : ", ") + std::string(word);
            }
            return words;
        }
        case Type::kAddress:
            return "an address and a port, like 127.0.0.1:8420 or [::1]:8420";
        case Type::kPath:
            return "a path";
        case Type::kText:
        case Type::kSecret:
            return "a text";
    }
    return {};
}

Result<Value> parse_value(const Setting& setting, std::string_view text) {
    const auto number = number_of(setting, text);
    const bool in_range =
        !is_number(setting.type) || (number && *number >= setting.least && *number <= setting.most);
    if (!number || !in_range) {
        return Error{ErrorCode::kSettings, "it is " + allowed(setting)};
    }
    return Value{std::string(text), *number};
}

namespace {

// How many letters were left out, put in, written wrong, or changed places with their neighbour.
std::size_t slips_between(std::string_view left, std::string_view right) {
    // The last three rows of the table; at [i][j] stands what the first i and j letters need.
    std::vector<std::size_t> before_last(right.size() + 1);
    std::vector<std::size_t> last(right.size() + 1);
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        std::swap(before_last, last);
        std::swap(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t wrong = left[i - 1] == right[j - 1] ? 0 : 1;
            row[j] = std::min({last[j - 1] + wrong, last[j] + 1, row[j - 1] + 1});
            const bool changed_places =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (changed_places) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
    }
    return row.back();
}

// What all flags and all variables begin with makes no two of them alike.
std::string_view without_head(std::string_view word) {
    constexpr std::string_view kVariable = "STANDINGS_";
    if (word.starts_with(kVariable)) word.remove_prefix(kVariable.size());
    while (word.starts_with('-')) word.remove_prefix(1);
    return word;
}

}  // namespace

std::string_view nearest(std::string_view text, std::span<const std::string_view> known) {
    std::string_view best;
    const std::size_t letters = without_head(text).size();
    // With more than a third of the letters wrong it is no longer a slip.
    std::size_t least = std::max<std::size_t>(1, letters / 3) + 1;
    for (const std::string_view word : known) {
        const std::size_t slips = slips_between(text, word);
        // A word of which no letter is right is another one.
        if (slips < std::min(least, std::max(letters, without_head(word).size()))) {
            least = slips;
            best = word;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view text, std::span<const std::string_view> known) {
    const std::string_view near = nearest(text, known);
    return near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?";
}

}  // namespace standings::settings
