// What the hub asks of the rest of the server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "live/frame.h"
#include "live/frame_stream.h"
#include "live/view.h"

namespace standings::live {

// A view at a rate, as long as somebody watches it; never given twice.
using StreamId = base::Id<struct StreamTag, std::uint64_t>;
// One view that one socket watches, named by whoever owns the socket.
using WatcherId = base::Id<struct WatcherTag, std::uint64_t>;
// An event loop.
using LoopIndex = std::uint32_t;

// Reads boards on the hub's thread.
class ViewReader {
  public:
    // What tells without a row whether something happened.
    struct BoardLook {
        base::Sequence seq;                 // of the last change
        base::RankingId ranking;            // another one after a reset
        bool is_open = true;                // takes submissions
        bool is_public = true;              // anybody may watch
        std::optional<std::string> leader;  // the player at position 1
    };
    enum class Answer : std::uint8_t {
        kRead,
        kLater,    // something has to come from the disk first: ask again
        kNoBoard,  // not there, or not any more
    };

    virtual ~ViewReader() = default;
    // None: no such board.
    virtual std::optional<BoardLook> look(std::string_view board) = 0;
    // Fills `reading`.
    virtual Answer read(const View& view, Reading& reading) = 0;
};

// Why a watch was not taken up, or has ended.
enum class Refusal : std::uint8_t { kNoBoard, kTooMany };

// Brings what the hub says to event loops, in the order it is said.
class Audience {
  public:
    virtual ~Audience() = default;

    struct Welcome {
        StreamId stream;
        std::string board;
        std::string name;  // of the view
        bool wanted_recovery = false;
        bool recovered = false;  // `frame` goes on from the watcher's own seq
        SharedFrame frame;       // none: the watcher has everything
    };
    // Whether the loop has dealt with all that it was told. One that has not gets no frames, which
    // would only grow old behind the others: its watchers' views are read later, and what changes
    // in between is folded together.
    virtual bool is_ready(LoopIndex loop) = 0;
    // From here on the watcher gets the stream's frames.
    virtual void welcome(LoopIndex loop, WatcherId watcher, const Welcome& welcome) = 0;
    virtual void refuse(LoopIndex loop, WatcherId watcher, Refusal why) = 0;
    // To a watcher that was left behind: what it has is forgotten for this.
    virtual void catch_up(LoopIndex loop, WatcherId watcher, const SharedFrame& snapshot) = 0;
    // To all of the loop's watchers of the stream. `changed_at`: since when there was something to
    // tell.
    virtual void publish(LoopIndex loop, StreamId stream, const SharedFrame& frame,
                         base::Monotonic changed_at) = 0;
    // To all sockets of the loop that watch a view of the board, once each.
    virtual void announce(LoopIndex loop, std::string_view board, std::string_view json) = 0;
    // The board is gone, or may be seen by others now: the stream has ended.
    virtual void end(LoopIndex loop, StreamId stream) = 0;
};

}  // namespace standings::live
