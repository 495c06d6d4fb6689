#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "message.h"
#include "poll.h"
#include "replay.h"
#include "settings.h"
#include "traffic.h"
#include "watcher.h"

namespace load {

struct WatchSettings {
    // Of the server, and of who submits.
    Settings clients;
    std::size_t watchers = 1000;
    // Each watcher takes the next one; "around" and "player" also the next player.
    std::vector<View> views{View{.size = 10}};
    unsigned rate = 10;
    std::size_t deaf = 0;
    // The server goes away once and comes back, and so do the watchers.
    bool restart = false;
};

struct Counts {
    std::uint64_t snapshots = 0;
    std::uint64_t deltas = 0;
    std::uint64_t beats = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;  // of all these
    std::uint64_t pings = 0;
    std::uint64_t byes = 0;
    std::uint64_t recovered = 0;    // went on where they were
    std::uint64_t unrecovered = 0;  // asked to, and got a snapshot
    std::uint64_t refused = 0;      // connections, while the server was not there
    std::uint64_t gaps = 0;
    std::uint64_t failures = 0;

    std::uint64_t messages() const { return snapshots + deltas + beats + events; }
    Counts since(const Counts& before) const;
};

// Everybody who watches, and what they have in common.
class Crowd {
  public:
    Crowd(const WatchSettings& settings, Poll& poll);

    // Lets those connect whose time has come.
    void connect_due(Clock::time_point now);
    // When there is somebody to connect; nothing is before one who connects has got through.
    Clock::time_point next_due() const;
    void add_deaf();

    const Counts& counts() const { return counts_; }
    // Nothing that follows would be worth something: a stream was wrong, or somebody was lost.
    bool is_broken() const { return counts_.gaps + counts_.failures > 0; }
    bool all_have_rows() const { return with_rows_ == watchers_.size(); }
    bool all_have(std::uint64_t seq) const;
    const std::deque<Watcher>& watchers() const { return watchers_; }
    const std::deque<DeafSocket>& deaf() const { return deaf_; }
    // Milliseconds from the beginning of a connection until there were rows; since the watchers
    // were lost, when they were.
    const std::vector<float>& connect_times() const { return connect_times_; }

    // From now on some of the watchers note what arrives when.
    void begin_sampling() { is_sampling_ = true; }

    // After the watchers came back.
    bool are_all_back() const { return lost_ >= watchers_.size() && all_have_rows(); }
    Clock::time_point first_lost() const { return first_lost_; }
    Clock::time_point first_back() const { return first_back_; }

    // --- of the watchers
    const WatchSettings& settings() const { return settings_; }
    Poll& poll() { return poll_; }
    Messages& messages() { return messages_; }
    Replay& replay() { return replay_; }
    Counts& counts() { return counts_; }
    std::string& room() { return room_; }
    bool samples(std::size_t number) const;
    void complain(const Complaint& complaint);
    void connected();
    void refused(Watcher& watcher, const std::string& why);
    void has_rows(Clock::duration took);
    void lost(Watcher& watcher, bool had_rows, std::optional<Clock::time_point> comes_back,
              const std::string& why);

  private:
    using Due = std::pair<Clock::time_point, Watcher*>;

    void connect_at(Clock::time_point when, Watcher& watcher) { waiting_.emplace(when, &watcher); }
    bool may_lose() const { return settings_.restart && !are_all_back(); }
    Clock::duration between(std::chrono::milliseconds least, std::chrono::milliseconds most);

    const WatchSettings& settings_;
    Poll& poll_;
    Messages messages_;
    Replay replay_;
    Counts counts_;
    std::string room_;  // for what one socket receives
    std::mt19937_64 chance_;
    std::deque<Watcher> watchers_;
    std::deque<DeafSocket> deaf_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> waiting_;
    std::size_t connecting_ = 0;
    std::size_t with_rows_ = 0;
    std::size_t lost_ = 0;
    std::vector<float> connect_times_;
    bool is_sampling_ = false;
    Clock::time_point first_lost_{};
    Clock::time_point first_back_{};
};

}  // namespace load
