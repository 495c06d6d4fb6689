#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "known_board.h"
#include "settings.h"

namespace load {

using Clock = std::chrono::steady_clock;

// One request under way, with what the log needs of a submission.
struct Pending {
    Clock::time_point sent;
    Clock::time_point due;  // what its latency counts from
    std::uint64_t player = 0;
    std::int64_t score = 0;
    std::uint64_t number = 0;
};

// A whole answer at the front of a buffer.
struct Answer {
    int status = 200;
    std::string_view head;
    std::string_view body;
    std::size_t bytes = 0;
};

// The prefix and seven digits.
std::string player_name(const Settings& settings, std::uint64_t player);

// Builds the requests of one protocol and knows which answers are right.
class Traffic {
  public:
    explicit Traffic(const Settings& settings);
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;
    virtual ~Traffic() = default;

    // Appends the next request to `out`.
    Pending append_request(std::string& out);

    // Nothing while the answer is incomplete.
    virtual std::optional<Answer> parse_answer(std::string_view buffer) const = 0;

    // Why `answer` is wrong, or nothing.
    virtual std::optional<std::string> complaint(const Answer& answer,
                                                 const Pending& request) const = 0;

    std::string player_name(std::uint64_t player) const {
        return load::player_name(settings_, player);
    }
    std::string idempotency_key(const Pending& request) const;

  protected:
    virtual void append(std::string& out, const Pending& request) = 0;

    // Ranks of the best and the worst of the 11 rows around a player.
    struct Span {
        std::uint64_t first;
        std::uint64_t last;
    };
    Span around(std::uint64_t player) const;

    const Settings& settings() const { return settings_; }
    // Only with --known.
    const std::optional<KnownBoard>& known() const { return known_; }

  private:
    const Settings& settings_;
    std::optional<KnownBoard> known_;
    std::mt19937_64 chance_;
    std::uint64_t next_number_ = 0;
};

std::unique_ptr<Traffic> make_http_traffic(const Settings& settings);
std::unique_ptr<Traffic> make_redis_traffic(const Settings& settings);

}  // namespace load
