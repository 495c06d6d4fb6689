// The watchers of one event loop, and how what the publisher tells reaches each of them.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/publisher.h"
#include "base/random.h"
#include "live/ports.h"
#include "net/server.h"

namespace standings::api {

// A client with this much unread loses frames, until it has read all but the lesser amount.
inline constexpr std::size_t kMostUnsent = 32 * 1024;
inline constexpr std::size_t kCaughtUp = 4 * 1024;

// When a client shall come back: spread, so that not all do at once. Milliseconds.
inline std::uint64_t retry_after(base::Random& random) {
    constexpr std::uint64_t kLeast = 1000;
    constexpr std::uint64_t kSpread = 2000;
    return kLeast + random.next() % kSpread;
}

// A frame on its way to many: each form of its bytes is made once.
class FrameBytes {
  public:
    FrameBytes(const live::Frame& frame, std::string_view epoch) : frame_(&frame), epoch_(epoch) {}
    const live::Frame& frame() const { return *frame_; }
    // As an event of a text/event-stream.
    const std::string& as_event();
    // As a text frame of a WebSocket.
    const std::string& as_text_frame();

  private:
    const live::Frame* frame_;
    std::string_view epoch_;
    std::string event_;
    std::string text_frame_;
};

// One view that one client watches. Thread: the loop's.
class LiveWatcher {
  public:
    virtual ~LiveWatcher() = default;

    // Before any frame. `frame`: where the watcher goes on from, or none.
    virtual void on_welcome(const live::Audience::Welcome& welcome, FrameBytes* frame) = 0;
    virtual void on_refused(live::Refusal why) = 0;
    virtual void on_frame(FrameBytes& frame) = 0;
    // What LiveDesk::resync() asked for.
    virtual void on_caught_up(FrameBytes& snapshot) = 0;
    // `number` is the event's own: a client with several views of a board tells it once.
    virtual void on_event(std::uint64_t number, std::string_view json) = 0;
    // The board is not there any more, for this watcher: nothing follows.
    virtual void on_end() = 0;

  private:
    friend class LiveDesk;
    live::WatcherId id_;
    live::StreamId stream_;  // none before it is welcome
    std::size_t place_ = 0;  // among the stream's
};

// A connection with watchers. Thread: the loop's.
class LiveClient {
  public:
    virtual ~LiveClient() = default;
    // The server ends: the client is told, and its connection closed.
    virtual void on_bye() = 0;
};

// Promise: each watcher hears what concerns it, in order; what is for very many goes out in slices,
// so that other requests of the loop are answered in between. Owner: the loop. Thread: the loop's.
class LiveDesk {
  public:
    LiveDesk(Publisher& publisher, net::Loop& loop, std::string epoch);

    // From enter() to leave() the client is told when the server ends.
    void enter(LiveClient& client) { clients_.insert(&client); }
    void leave(LiveClient& client) { clients_.erase(&client); }

    // Keeps the watcher until unwatch(), its refusal or its end.
    void watch(const std::shared_ptr<LiveWatcher>& watcher, live::Watch watch);
    void unwatch(LiveWatcher& watcher);
    // It lost frames and can take some again: on_caught_up() comes.
    void resync(const LiveWatcher& watcher);

  private:
    struct Stream {
        std::string board;
        std::vector<LiveWatcher*> watchers;
    };

    void hear(std::vector<Told> told);
    void pump();
    // Each answers true when it is done with; false: the slice is used up.
    bool tell(const Welcomed& told);
    bool tell(const Refused& told);
    bool tell(const CaughtUp& told);
    bool tell(const Published& told);
    bool tell(const Announced& told);
    bool tell(const Ended& told);
    bool tell(const Bye& told);
    bool tell(const TurnEnd& told);
    FrameBytes& bytes_of(const live::SharedFrame& frame);
    bool spend();
    // Those of a board, as they are now.
    std::vector<live::WatcherId> watchers_of(std::string_view board) const;
    LiveWatcher* find(live::WatcherId id) const;
    void leave_stream(LiveWatcher& watcher);
    using Streams = std::unordered_map<live::StreamId, Stream>;
    void forget(Streams::iterator stream);

    Publisher& publisher_;
    net::Loop& loop_;
    const std::string epoch_;
    live::LoopIndex index_;
    std::uint64_t next_watcher_ = 1;
    std::uint64_t events_ = 0;
    std::unordered_set<LiveClient*> clients_;  // before the watchers, which may be clients
    std::unordered_map<live::WatcherId, std::shared_ptr<LiveWatcher>> watchers_;
    Streams streams_;
    std::unordered_map<std::string, std::unordered_set<live::StreamId>> of_board_;

    std::deque<Told> told_;                   // the first one may be half delivered
    std::size_t delivered_ = 0;               // of the first one, a frame or an event
    std::vector<live::WatcherId> concerned_;  // by the first one, an event
    // Of the frame that was sent last; a crowd that comes back gets the same one.
    live::SharedFrame bytes_frame_;
    std::unique_ptr<FrameBytes> bytes_;
    std::size_t budget_ = 0;
    bool is_posted_ = false;
};

}  // namespace standings::api
