#include "crowd.h"

#include <algorithm>
#include <iostream>

namespace load {
namespace {

// Connections that have no rows yet: fewer than a server lets wait for its accept().
constexpr std::size_t kMostConnecting = 1000;
constexpr std::size_t kSamples = 256;
constexpr std::uint64_t kMostComplaints = 5;
constexpr std::size_t kRoom = 256 * 1024;

}  // namespace

Counts Counts::since(const Counts& before) const {
    Counts result = *this;
    result.snapshots -= before.snapshots;
    result.deltas -= before.deltas;
    result.beats -= before.beats;
    result.events -= before.events;
    result.bytes -= before.bytes;
    result.pings -= before.pings;
    result.byes -= before.byes;
    result.recovered -= before.recovered;
    result.unrecovered -= before.unrecovered;
    result.refused -= before.refused;
    result.gaps -= before.gaps;
    result.failures -= before.failures;
    return result;
}

Crowd::Crowd(const WatchSettings& settings, Poll& poll)
    : settings_(settings), poll_(poll), room_(kRoom, '\0'), chance_(settings.clients.seed) {
    const auto now = Clock::now();
    for (std::size_t i = 0; i < settings.watchers; ++i) {
        View view = settings.views[i % settings.views.size()];
        if (view.kind != View::Kind::kTop) {
            const std::uint64_t player = i / settings.views.size() % settings.clients.players;
            view.player = player_name(settings.clients, player);
        }
        connect_at(now, watchers_.emplace_back(*this, i, std::move(view)));
    }
}

void Crowd::add_deaf() {
    for (std::size_t i = 0; i < settings_.deaf; ++i) {
        deaf_.emplace_back(settings_, poll_, settings_.views.front());
    }
}

void Crowd::connect_due(Clock::time_point now) {
    while (!waiting_.empty() && waiting_.top().first <= now && connecting_ < kMostConnecting) {
        Watcher* const watcher = waiting_.top().second;
        waiting_.pop();
        ++connecting_;
        watcher->connect();
    }
}

Clock::time_point Crowd::next_due() const {
    if (waiting_.empty() || connecting_ >= kMostConnecting) return Clock::time_point::max();
    return waiting_.top().first;
}

bool Crowd::all_have(std::uint64_t seq) const {
    return std::ranges::all_of(watchers_, [seq](const Watcher& watcher) {
        return watcher.rows() && watcher.rows()->seq >= seq;
    });
}

// --- of the watchers ------------------------------------------------------------------------

bool Crowd::samples(std::size_t number) const {
    return is_sampling_ && number % std::max<std::size_t>(1, watchers_.size() / kSamples) == 0;
}

void Crowd::complain(const Complaint& complaint) {
    const std::uint64_t before = counts_.gaps + counts_.failures;
    ++(complaint.is_gap ? counts_.gaps : counts_.failures);
    if (before < kMostComplaints) {
        std::cerr << program_invocation_short_name << ": " << complaint.what.substr(0, 2000)
                  << '\n';
    }
}

void Crowd::connected() {
    if (lost_ > 0 && first_back_ == Clock::time_point{}) first_back_ = Clock::now();
}

void Crowd::refused(Watcher& watcher, const std::string& why) {
    --connecting_;
    ++counts_.refused;
    if (!may_lose()) return complain({false, why});
    using namespace std::chrono_literals;
    connect_at(Clock::now() + between(250ms, 750ms), watcher);
}

void Crowd::has_rows(Clock::duration took) {
    --connecting_;
    ++with_rows_;
    connect_times_.push_back(std::chrono::duration<float, std::milli>(took).count());
}

void Crowd::lost(Watcher& watcher, bool had_rows, std::optional<Clock::time_point> comes_back,
                 const std::string& why) {
    --(had_rows ? with_rows_ : connecting_);
    if (!may_lose()) return complain({false, "a watcher was lost: " + why});
    const auto now = Clock::now();
    if (lost_++ == 0) {
        first_lost_ = now;
        connect_times_.clear();
    }
    using namespace std::chrono_literals;
    connect_at(comes_back.value_or(now + between(1s, 3s)), watcher);
}

Clock::duration Crowd::between(std::chrono::milliseconds least, std::chrono::milliseconds most) {
    const auto spread = static_cast<std::uint64_t>((most - least).count());
    return least + std::chrono::milliseconds(chance_() % spread);
}

}  // namespace load
