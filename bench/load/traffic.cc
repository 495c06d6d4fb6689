#include "traffic.h"

#include <algorithm>

namespace load {

Traffic::Traffic(const Settings& settings) : settings_(settings), chance_(settings.seed) {
    if (settings.known) known_.emplace(settings.players);
}

Pending Traffic::append_request(std::string& out) {
    Pending request;
    request.number = next_number_++;
    request.player = chance_() % settings_.players;
    if (settings_.mode == "submit") {
        request.score = settings_.score.value_or(settings_.score_from +
                                                 static_cast<std::int64_t>(chance_() % 10'000'000));
    }
    append(out, request);
    request.sent = request.due = Clock::now();
    return request;
}

std::string player_name(const Settings& settings, std::uint64_t player) {
    const std::string digits = std::to_string(player);
    return settings.prefix + std::string(digits.size() < 7 ? 7 - digits.size() : 0, '0') + digits;
}

std::string Traffic::idempotency_key(const Pending& request) const {
    return settings_.run + "-" + std::to_string(request.number);
}

Traffic::Span Traffic::around(std::uint64_t player) const {
    // The same number of rows at both ends: the server moves the window, Redis's script cuts it.
    const std::uint64_t rank = known_->rank_of(player);
    return {.first = rank > 5 ? rank - 5 : 1, .last = std::min(rank + 5, known_->size())};
}

}  // namespace load
