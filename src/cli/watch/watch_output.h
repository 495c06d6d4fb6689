// Where a board that is watched is shown.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/listing.h"
#include "cli/watch/picture.h"

namespace standings::cli {

// Owner and thread: the command. Each call answers false when nobody looks any more, or a signal
// asks to stop.
class WatchOutput {
  public:
    virtual ~WatchOutput() = default;

    // One message, as it came.
    virtual bool tell(std::string_view json) = 0;
    // What there is now, after one or several messages, and while time passes.
    virtual bool show(const Picture& picture) = 0;
    // Between two waits: what a person or a terminal wants.
    virtual bool look() = 0;
    // A file that look() reads; -1: none.
    virtual int keys() const { return -1; }
    // Of the connection, where no picture has it.
    virtual void say(const std::string& sentence) const = 0;
};

// A terminal that takes pictures shows one that changes; any other output gets tables with an empty
// line between them, or with `format` kNdjson the messages.
std::unique_ptr<WatchOutput> watch_output(Format format);

}  // namespace standings::cli
