// The rows of one view as a stream of frames.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "live/frame_stream.h"

namespace standings::live {

// Promise: that of FrameStream; a delta is applied by taking out `leave` and putting in `upsert` by
// player. Bounded: kMaxSteps seqs and kMaxLeft players beside the rows.
// Cost: O(rows) a reading; a snapshot is written once until a row changes.
class RowStream final : public FrameStream {
  public:
    static constexpr std::size_t kMaxSteps = 512;
    static constexpr std::size_t kMaxLeft = 256;

    RowStream(std::string name, std::string epoch, Reading first);

    base::Sequence seq() const override { return steps_.back(); }
    SharedFrame publish(Reading next) override;
    // Where only the number of players has changed: a delta without rows.
    SharedFrame beat() override;
    const SharedFrame& snapshot() override;
    std::optional<Resumed> resume(base::Sequence since) const override;

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

    void note_told() override;
    void note_step(base::Sequence seq);
    void note_left(LeftRow left);

    std::size_t total_;
    std::vector<KnownRow> rows_;
    std::size_t read_total_;  // of the last reading, whose rows are the same

    // Seqs of frames that a watcher may come back with, the present one last.
    std::deque<base::Sequence> steps_;
    // Who has left since the first of them, in order of leaving.
    std::deque<LeftRow> left_;
    SharedFrame snapshot_;
};

}  // namespace standings::live
