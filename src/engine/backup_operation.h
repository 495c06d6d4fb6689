// A copy of the database on its way through the committer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "engine/operation.h"

namespace standings::engine {

// Seen from both sides while the copy runs. Any thread.
struct BackupState {
    std::atomic<std::uint64_t> done_bytes{0};
    std::atomic<std::uint64_t> total_bytes{0};
    std::atomic<bool> cancelled{false};  // set by whoever wants it ended
};

// The committer copies a slice between two batches, and delivers this when the copy is complete or
// has failed. Then `path` is the receiver's: to be sealed, or removed.
class BackupOperation : public Operation {
  public:
    BackupOperation(Mailbox& home, std::string to, std::shared_ptr<BackupState> shared)
        : Operation(home), path(std::move(to)), state(std::move(shared)) {}
    void finished() override {}

    const std::string path;  // a file that is not there yet
    const std::shared_ptr<BackupState> state;

    std::optional<base::Error> error;
    base::Sequence seq;  // what the copy holds
};

}  // namespace standings::engine
