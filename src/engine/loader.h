// Rebuilds memory from the ledger at start: rows first, then the events beyond the fold mark.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.h"
#include "base/result.h"
#include "engine/committer.h"
#include "engine/registry.h"
#include "ledger/ledger.h"
#include "ledger/write_back.h"

namespace standings::engine {

struct LoadOptions {
    std::size_t idempotency_keys = 1'000'000;
    std::chrono::milliseconds idempotency_window = std::chrono::hours(24);
    ledger::WriteBackLimits write_back = {};
};

// Fills `registry`. Players, entries and keys are read by a thread each. Replay runs the rule again
// and fails with kIntegrity where it disagrees with what was stored. ~0.7 us a player on two cores.
base::Result<CommitterStart> load(ledger::Ledger& ledger, Registry& registry,
                                  const base::Clock& clock, const LoadOptions& options);

}  // namespace standings::engine
