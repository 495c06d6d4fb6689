// The rows of one view as a stream of frames.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "live/frame.h"

namespace standings::live {

struct Row {
    std::string player;
    std::string json;  // as clients get it: a row has changed when this has
};

// The rows of a view in their order, as they were at `seq`.
struct Reading {
    base::Sequence seq;
    std::size_t total = 0;
    std::vector<Row> rows;
};

// Promise: whoever has the rows of a frame, and applies each frame after it (takes out `leave`,
// puts in `upsert` by player), has the rows of each in turn. A frame comes only when a row differs.
// Owner and thread: the hub's. Bounded: kMaxSteps seqs and kMaxLeft players beside the rows.
// Cost: O(rows) a reading; a snapshot is written once until a row changes.
class RowStream {
  public:
    static constexpr std::size_t kMaxSteps = 512;
    static constexpr std::size_t kMaxLeft = 256;

    // `name` and `epoch` need no escaping.
    RowStream(std::string name, std::string epoch, Reading first);

    // What was told last.
    base::Sequence seq() const { return steps_.back(); }

    // The frame from seq() to `next`; none: no row differs, and seq() stays. `next` is not older
    // than the reading before it.
    SharedFrame publish(Reading next);
    // The last reading is newer than what was told: it changed nothing.
    bool has_news() const { return read_ != seq(); }
    // Tells just that. None: there is no such news.
    SharedFrame beat();

    // The rows at seq().
    const SharedFrame& snapshot();

    struct Resumed {
        SharedFrame frame;  // none: the watcher has everything
    };
    // From a seq that a frame had to seq(). None: not known any more, so a snapshot is due.
    std::optional<Resumed> resume(base::Sequence since) const;

  private:
    struct KnownRow {
        Row row;
        base::Sequence entered;
        base::Sequence changed;
    };
    struct LeftRow {
        std::string player;
        base::Sequence entered;
        base::Sequence left;
    };

    void note_step(base::Sequence seq);
    void note_left(LeftRow left);
    std::string head(std::string_view type) const;

    const std::string name_;
    const std::string epoch_;
    std::size_t total_;
    std::vector<KnownRow> rows_;
    base::Sequence read_;  // of the last reading, whose rows are the same
    std::size_t read_total_;

    // Seqs of frames that a watcher may come back with, the present one last.
    std::deque<base::Sequence> steps_;
    // Who has left since the first of them, in order of leaving.
    std::deque<LeftRow> left_;
    SharedFrame snapshot_;
};

}  // namespace standings::live
