#include "base/clock.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace standings::base {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr auto kTwoDigits = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 100; ++i) {
        pairs[2 * i] = static_cast<char>('0' + i / 10);
        pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
}();

// Of a number below 100.
void put_two_digits(char* out, unsigned value) {
    std::memcpy(out, &kTwoDigits[2 * value], 2);
}

// Reads exactly `count` digits and moves on; none when there are not that many.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(0, count)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

// The offset of the zone in minutes: "Z" or "+hh:mm".
std::optional<int> take_offset(std::string_view& text) {
    if (take(text, "Zz")) return 0;
    if (text.empty()) return std::nullopt;
    const int sign = text.front() == '-' ? -1 : 1;
    if (!take(text, "+-")) return std::nullopt;
    const auto hours = take_digits(text, 2);
    if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
    const auto minutes = take_digits(text, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    return sign * (*hours * 60 + *minutes);
}

}  // namespace

Instant SystemClock::now() const {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return {duration_cast<milliseconds>(since).count()};
}

Monotonic SystemClock::monotonic() const {
    return duration_cast<Monotonic>(std::chrono::steady_clock::now().time_since_epoch());
}

char* write_rfc3339(char* out, Instant instant) {
    using namespace std::chrono;
    constexpr std::int64_t kMsPerDay = 86'400'000;
    std::int64_t day = instant.ms / kMsPerDay;
    if (day * kMsPerDay > instant.ms) --day;
    const auto ms = static_cast<unsigned>(instant.ms - day * kMsPerDay);
    const year_month_day date{sys_days{days{day}}};
    const auto year = static_cast<unsigned>(std::clamp(static_cast<int>(date.year()), 0, 9999));

    std::memcpy(out, "0000-00-00T00:00:00.000Z", kRfc3339Bytes);
    put_two_digits(out, year / 100);
    put_two_digits(out + 2, year % 100);
    put_two_digits(out + 5, static_cast<unsigned>(date.month()));
    put_two_digits(out + 8, static_cast<unsigned>(date.day()));
    put_two_digits(out + 11, ms / 3'600'000);
    put_two_digits(out + 14, ms / 60'000 % 60);
    put_two_digits(out + 17, ms / 1000 % 60);
    put_two_digits(out + 20, ms % 1000 / 10);
    out[22] = static_cast<char>('0' + ms % 10);
    return out + kRfc3339Bytes;
}

void append_rfc3339(std::string& out, Instant instant) {
    char text[kRfc3339Bytes];
    write_rfc3339(text, instant);
    out.append(text, sizeof text);
}

std::string rfc3339(Instant instant) {
    std::string out;
    append_rfc3339(out, instant);
    return out;
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
    using namespace std::chrono;
    const auto y = take_digits(text, 4);
    if (!y || !take(text, "-")) return std::nullopt;
    const auto m = take_digits(text, 2);
    if (!m || !take(text, "-")) return std::nullopt;
    const auto d = take_digits(text, 2);
    if (!d || !take(text, "Tt ")) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
    const auto second = take_digits(text, 2);
    // A leap second is counted as the one after it, as POSIX does.
    if (!second || *second > 60) return std::nullopt;

    std::int64_t ms = 0;
    if (take(text, ".")) {
        std::int64_t unit = 100;
        bool any = false;
        while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
            ms += unit * (text.front() - '0');
            unit /= 10;
            any = true;
            text.remove_prefix(1);
        }
        if (!any) return std::nullopt;
    }
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;

    const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)},
                              day{static_cast<unsigned>(*d)}};
    if (!date.ok()) return std::nullopt;
    const auto at = sys_days{date} + hours{*hour} + minutes{*minute - *offset} + seconds{*second} +
                    milliseconds{ms};
    return Instant{at.time_since_epoch().count()};
}

}  // namespace standings::base
