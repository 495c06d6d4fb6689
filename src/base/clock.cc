#include "base/clock.h"

#include <algorithm>
#include <array>

namespace standings::base {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

void put_digits(char* out, std::int64_t value, int count) {
    for (int i = count - 1; i >= 0; --i) {
        out[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
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

void append_rfc3339(std::string& out, Instant instant) {
    using namespace std::chrono;
    const sys_time<milliseconds> time{milliseconds{instant.ms}};
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    char text[] = "0000-00-00T00:00:00.000Z";
    put_digits(text, std::clamp(static_cast<int>(date.year()), 0, 9999), 4);
    put_digits(text + 5, static_cast<unsigned>(date.month()), 2);
    put_digits(text + 8, static_cast<unsigned>(date.day()), 2);
    put_digits(text + 11, clock.hours().count(), 2);
    put_digits(text + 14, clock.minutes().count(), 2);
    put_digits(text + 17, clock.seconds().count(), 2);
    put_digits(text + 20, clock.subseconds().count(), 3);
    out.append(text, sizeof text - 1);
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
