// The two moments of a copy of the database that the committer has to see to.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "engine/operation.h"
#include "ledger/ledger.h"

namespace standings::engine {

// Begins a copy, or pins the one that it brings, between two batches. The receiver makes the copy
// in between and afterwards, on a thread of its own. `path`, and what lies beside it, is the
// receiver's: to be sealed, or removed.
class BackupOperation : public Operation {
  public:
    BackupOperation(Mailbox& home, std::string to) : Operation(home), path(std::move(to)) {}
    void finished() override {}

    const std::string path;  // a file that is not there at the beginning

    std::unique_ptr<ledger::LedgerCopy> copy;  // null: to begin
    std::optional<base::Error> error;
    base::Sequence seq;  // what is committed by now, and what the copy holds once it is pinned
};

}  // namespace standings::engine
