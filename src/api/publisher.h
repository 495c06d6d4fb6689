// The thread between boards that move and those who watch them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "api/board_views.h"
#include "engine/committer.h"
#include "engine/engine.h"
#include "live/hub.h"
#include "live/ports.h"

namespace standings::api {

// What one event loop is told, in this order.
struct Welcomed {
    live::WatcherId watcher;
    live::Audience::Welcome welcome;
};
struct Refused {
    live::WatcherId watcher;
    live::Refusal why;
};
struct CaughtUp {
    live::WatcherId watcher;
    live::SharedFrame snapshot;
};
struct Published {
    live::StreamId stream;
    live::SharedFrame frame;
    base::Monotonic changed_at;  // since when there was something to tell
};
struct Announced {
    std::string board;
    std::string json;
};
struct Ended {
    live::StreamId stream;
};
struct Bye {};      // the server ends
struct TurnEnd {};  // all of one turn: to be answered by heard()
using Told = std::variant<Welcomed, Refused, CaughtUp, Published, Announced, Ended, Bye, TurnEnd>;

// What watchers got, over all loops. Any thread.
struct LiveStatistics {
    std::atomic<std::uint64_t> snapshots{0};
    std::atomic<std::uint64_t> deltas{0};
    std::atomic<std::uint64_t> beats{0};
    std::atomic<std::uint64_t> skipped{0};      // frames that a slow watcher did not get
    std::atomic<std::uint64_t> recovered{0};    // watchers that went on where they were
    std::atomic<std::uint64_t> unrecovered{0};  // ... and that wanted to
    // From a change of a board until the last watcher of a loop has its frame.
    engine::DurationHistogram publish_delay;

    void count(live::FrameKind kind) {
        auto& counter = kind == live::FrameKind::kSnapshot ? snapshots
                        : kind == live::FrameKind::kDelta  ? deltas
                                                           : beats;
        counter.fetch_add(1, std::memory_order_relaxed);
    }
};

// An event loop's ear. Called on the publisher's thread; brings what it hears to its own.
using Listen = std::function<void(std::vector<Told>)>;

// Promise: what a watcher is told is in order, and each loop is told at most once per turn. Owner:
// the server. join() and the like: any thread, bounded by whoever calls them; all else is on the
// publisher's own thread. The committer takes a short lock and wakes it, only while
// somebody watches.
class Publisher final : public engine::CommitListener,
                        private engine::Mailbox,
                        private live::Audience {
  public:
    explicit Publisher(engine::Engine& engine, live::Hub::Limits limits = {});
    ~Publisher() override;

    // Before it joins anything, each loop gets its number.
    live::LoopIndex add_loop(Listen listen);

    void join(live::Watch watch);
    void leave(live::LoopIndex loop, live::StreamId stream);
    void resync(live::LoopIndex loop, live::WatcherId watcher, live::StreamId stream);

    // The loop has dealt with all of one turn.
    void heard(live::LoopIndex loop);
    // Tells every watcher that the server ends.
    void say_bye();

    // The committer's thread.
    void on_applied(base::Sequence seq) override;

    void start();
    // Nothing is told afterwards. Idempotent.
    void stop();

    // Any thread.
    std::size_t watchers() const { return watchers_.load(std::memory_order_relaxed); }
    std::size_t streams() const { return streams_.load(std::memory_order_relaxed); }
    LiveStatistics& statistics() { return statistics_; }
    const base::Clock& clock() const { return clock_; }

  private:
    struct Leave {
        live::LoopIndex loop;
        live::StreamId stream;
    };
    struct Resync {
        live::LoopIndex loop;
        live::WatcherId watcher;
        live::StreamId stream;
    };
    using Asked = std::variant<live::Watch, Leave, Resync, Bye, std::unique_ptr<engine::Operation>>;

    void ask(Asked asked);
    void run();
    struct Turn {
        std::vector<Asked> asked;
        bool looks_at_boards = false;
        std::optional<base::Monotonic> moved_at;
    };
    // Waits until something is to be done. None: the end.
    std::optional<Turn> wait();
    void answer(Asked& asked, base::Monotonic now);
    void tell(live::LoopIndex loop, Told told);
    void tell_loops();
    struct Loop;
    Loop& loop(live::LoopIndex index);
    live::LoopIndex loop_count();

    void deliver(std::vector<std::unique_ptr<engine::Operation>> finished) override;

    bool is_ready(live::LoopIndex loop) override;
    void welcome(live::LoopIndex loop, live::WatcherId watcher, const Welcome& welcome) override;
    void refuse(live::LoopIndex loop, live::WatcherId watcher, live::Refusal why) override;
    void catch_up(live::LoopIndex loop, live::WatcherId watcher,
                  const live::SharedFrame& snapshot) override;
    void publish(live::LoopIndex loop, live::StreamId stream, const live::SharedFrame& frame,
                 base::Monotonic changed_at) override;
    void announce(live::LoopIndex loop, std::string_view board, std::string_view json) override;
    void end(live::LoopIndex loop, live::StreamId stream) override;

    engine::Engine& engine_;
    const base::Clock& clock_;
    BoardViews views_;
    live::Hub hub_;

    std::mutex mutex_;
    std::condition_variable due_;
    std::vector<Asked> asked_;
    bool stopping_ = false;
    std::optional<base::Monotonic> moved_at_;  // a board has, and it was not looked at since
    struct Loop {
        Listen listen;
        std::atomic<int> unheard{0};  // turns
    };
    std::deque<Loop> loops_;  // each stays where it is
    // Whether the committer has to tell. Set before a view is read, so that nothing is missed.
    std::atomic<bool> is_watched_{false};

    // Of its thread.
    std::vector<std::vector<Told>> told_;  // by loop
    base::Monotonic next_look_{};          // at boards; not before
    std::atomic<std::size_t> watchers_{0};
    std::atomic<std::size_t> streams_{0};
    LiveStatistics statistics_;
    std::thread thread_;
};

}  // namespace standings::api
