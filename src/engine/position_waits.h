// Reads that wait until the ledger has reached a position ("read your writes").
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/ids.h"
#include "engine/committer.h"
#include "engine/operation.h"

namespace standings::engine {

// Owner: the engine. Threads: any adds and cancels, the committer wakes. Bounded.
class PositionWaits final : public CommitListener {
  public:
    explicit PositionWaits(std::size_t most) : most_(most) {}

    // An id to cancel with. The operation is delivered home once `seq` is applied.
    using WaitId = std::uint64_t;
    static constexpr WaitId kNone = 0;

    // kNone: too many wait already; the operation stays with the caller.
    WaitId add(base::Sequence seq, std::unique_ptr<Operation>& operation);
    // The operation, if it still waited.
    std::unique_ptr<Operation> cancel(base::Sequence seq, WaitId id);
    void on_applied(base::Sequence seq) override;
    std::size_t size() const;

  private:
    struct Wait {
        WaitId id;
        std::unique_ptr<Operation> operation;
    };
    const std::size_t most_;
    mutable std::mutex mutex_;
    base::Sequence applied_;
    WaitId next_id_ = 1;
    std::multimap<base::Sequence, Wait> waits_;
};

}  // namespace standings::engine
