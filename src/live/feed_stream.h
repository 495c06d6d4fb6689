// The last submissions of one board, or of all, as a stream of frames.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "live/frame_stream.h"

namespace standings::live {

// Promise: beside FrameStream's, each item is told once, in order of seq. Where more came between
// two readings than a reading holds, the frame has the newest of them and says "gap". Bounded by
// the readings. Cost: O(items) a reading.
class FeedStream final : public FrameStream {
  public:
    // A snapshot has the last `size` items.
    FeedStream(std::string name, std::string epoch, std::size_t size, Reading first);

    base::Sequence seq() const override { return told_; }
    SharedFrame publish(Reading next) override;
    const SharedFrame& snapshot() override;
    std::optional<Resumed> resume(base::Sequence since) const override;

  private:
    void note_told() override;
    SharedFrame delta(base::Sequence since) const;

    const std::size_t size_;
    std::vector<Item> items_;
    base::Sequence known_since_;
    base::Sequence told_;
    SharedFrame snapshot_;
};

}  // namespace standings::live
