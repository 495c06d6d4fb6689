// Time enters through here, so that a test can hold it in its hand.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace standings::base {

// A moment of the calendar, in milliseconds since 1970-01-01T00:00:00Z. `kNever` stands for none.
struct Instant {
    std::int64_t ms = 0;
    friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
};
inline constexpr Instant kNever{INT64_MIN};

// Time since some fixed moment; never goes back. For time-outs and durations.
using Monotonic = std::chrono::nanoseconds;

class Clock {
  public:
    virtual ~Clock() = default;
    // Any thread. May jump when an operator sets the clock.
    virtual Instant now() const = 0;
    // Any thread. Never goes back.
    virtual Monotonic monotonic() const = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
  public:
    Instant now() const override;
    Monotonic monotonic() const override;
};

// "2026-11-21T00:15:00.120Z". The first one writes kRfc3339Bytes and answers the end.
inline constexpr std::size_t kRfc3339Bytes = 24;
char* write_rfc3339(char* out, Instant instant);
void append_rfc3339(std::string& out, Instant instant);
std::string rfc3339(Instant instant);

// Reads RFC 3339 with any offset and any count of fraction digits (cut to milliseconds). None when
// it is not one, or when the day does not exist.
std::optional<Instant> parse_rfc3339(std::string_view text);

}  // namespace standings::base
