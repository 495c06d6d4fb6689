// One view as a stream of frames.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "live/frame.h"

namespace standings::live {

struct Row {
    std::string player;
    std::string json;  // as clients get it: a row has changed when this has
};

// A submission in a feed.
struct Item {
    base::Sequence seq;
    std::string json;
};

// What a view shows at `seq`.
struct Reading {
    base::Sequence seq;
    // Of a view of rows, in their order.
    std::size_t total = 0;
    std::vector<Row> rows;
    // Of a feed: the last items, by seq, and since when none is missing.
    std::vector<Item> items;
    base::Sequence known_since;
};

// Promise: who has what a frame shows, and applies each frame after it, has what the view shows at
// each seq in turn. A frame comes only when something differs. Owner and thread: the hub's.
class FrameStream {
  public:
    // `name` and `epoch` need no escaping.
    FrameStream(std::string name, std::string epoch, base::Sequence first)
        : name_(std::move(name)), epoch_(std::move(epoch)), read_(first) {}
    virtual ~FrameStream() = default;
    FrameStream(const FrameStream&) = delete;
    FrameStream& operator=(const FrameStream&) = delete;

    // What was told last.
    virtual base::Sequence seq() const = 0;

    // The frame from seq() to `next`; none: nothing differs, and seq() stays. `next` is not older
    // than the reading before it.
    virtual SharedFrame publish(Reading next) = 0;
    // The last reading is newer than what was told: it changed no row and no item.
    bool has_news() const { return read_ != seq(); }
    // Tells that, and what else of the view it changed. None: there is no such news.
    virtual SharedFrame beat();

    // All of the view at seq().
    virtual const SharedFrame& snapshot() = 0;

    struct Resumed {
        SharedFrame frame;  // none: the watcher has everything
    };
    // From a seq that a frame had to seq(). None: not known any more, so a snapshot is due.
    virtual std::optional<Resumed> resume(base::Sequence since) const = 0;

  protected:
    const std::string& epoch() const { return epoch_; }
    base::Sequence read() const { return read_; }
    void note_read(base::Sequence seq);
    // Everything up to read() is told from here on.
    virtual void note_told() = 0;
    // What every frame begins with.
    std::string head(std::string_view type) const;

  private:
    const std::string name_;
    const std::string epoch_;
    base::Sequence read_;
};

}  // namespace standings::live
