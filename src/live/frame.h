// A message to all who watch a view, as JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/ids.h"

namespace standings::live {

enum class FrameKind : std::uint8_t { kSnapshot, kDelta, kBeat };

// Made once, shared by all watchers and threads, never changed.
struct Frame {
    FrameKind kind;
    base::Sequence seq;  // what a watcher has once it applied this
    std::string json;
};
using SharedFrame = std::shared_ptr<const Frame>;

}  // namespace standings::live
