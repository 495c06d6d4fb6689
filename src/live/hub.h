// Who watches what, when each view is due, and what its watchers hear.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "live/frame_stream.h"
#include "live/ports.h"
#include "live/view.h"

namespace standings::live {

// Frames a second, at most.
inline constexpr std::uint32_t kRates[] = {1, 2, 5, 10, 20};
inline constexpr std::uint32_t kUsualRate = 10;

struct Watch {
    LoopIndex loop = 0;
    WatcherId watcher;
    View view;
    std::uint32_t rate = kUsualRate;
    // None: it has not watched before. What it has else, 0 where that is of another epoch.
    std::optional<base::Sequence> since;
    bool may_read_private = false;
};

// Promise: a view is read and written to bytes once at a rate, however many watch it, and only when
// its board has moved; changes in between are folded together. Owner and thread: the publisher,
// which calls tick() by next_tick(). No lock, clock or socket. Bounded by Limits.
class Hub {
  public:
    struct Limits {
        std::size_t max_streams = 100'000;
        // Views that nobody watches are remembered, so that who comes back is resumed.
        std::size_t max_idle_streams = 4096;
        std::chrono::seconds idle_for{60};
        // Watchers of a view that stands still hear how far it is known to.
        std::chrono::milliseconds beat_every{2000};
    };

    Hub(ViewReader& reader, Audience& audience, std::string epoch, Limits limits);
    ~Hub();

    void join(const Watch& watch, base::Monotonic now);
    void leave(LoopIndex loop, StreamId stream, base::Monotonic now);
    // The watcher lost frames. It gets the present rows, and then what follows.
    void resync(LoopIndex loop, WatcherId watcher, StreamId stream);

    // What made a reader answer kLater has come.
    void retry(base::Monotonic now);
    // Something may have changed, since `moved_at` where that is known: looks at every board that
    // is watched.
    void tick(base::Monotonic now, std::optional<base::Monotonic> moved_at = std::nullopt);
    // When tick() has something to do although no board moves. None: not before one does.
    std::optional<base::Monotonic> next_tick() const;

    std::size_t streams() const { return by_id_.size(); }
    std::size_t watchers() const { return watchers_; }

  private:
    struct Stream;
    struct Board;
    using Key = std::pair<View, std::uint32_t>;

    Stream& stream(const Key& key);
    void welcome(Stream& stream, const Watch& watch);

    void look_at(Board& board, base::Monotonic now, base::Monotonic moved_at);
    void tell_changes(Board& board, const ViewReader::BoardLook& now);
    void tell_leader(Board& board, base::Monotonic now);
    void announce(const Board& board, std::string_view json);
    // Sends what is due.
    void serve(Stream& stream, base::Monotonic now);
    std::unique_ptr<FrameStream> make_frames(const Stream& stream, Reading first) const;
    // Reads, publishes, and lets in who waits. False: it cannot be read yet.
    bool refresh(Stream& stream, base::Monotonic now);
    bool are_ready(const Stream& stream) const;
    void send(Stream& stream, const SharedFrame& frame, base::Monotonic now);
    void wake_at(Board& board, base::Monotonic when);

    void end_board(Board& board);
    void forget(Stream& stream);
    void forget_idle(base::Monotonic now);

    ViewReader& reader_;
    Audience& audience_;
    const std::string epoch_;
    const Limits limits_;

    std::map<std::string, std::unique_ptr<Board>, std::less<>> boards_;
    std::map<Key, std::unique_ptr<Stream>> streams_;
    std::unordered_map<StreamId, Stream*> by_id_;
    StreamId next_stream_{1};
    std::size_t watchers_ = 0;
    // Since when nobody watches which stream.
    std::set<std::pair<base::Monotonic, StreamId>> idle_;
    std::vector<StreamId> late_;  // could not be read yet
    std::optional<base::Monotonic> wake_;
};

}  // namespace standings::live
