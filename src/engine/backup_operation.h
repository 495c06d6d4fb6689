// The beginning of a copy of the database.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "engine/operation.h"
#include "ledger/ledger.h"

namespace standings::engine {

// The committer begins the copy between two batches; the receiver makes it, on a thread of its own.
// `path`, and what lies beside it, is the receiver's: to be sealed, or removed.
class BackupOperation : public Operation {
  public:
    BackupOperation(Mailbox& home, std::string to) : Operation(home), path(std::move(to)) {}
    void finished() override {}

    const std::string path;  // a file that is not there yet

    std::optional<base::Error> error;
    std::unique_ptr<ledger::LedgerCopy> copy;
    base::Sequence seq;  // what the copy will hold
};

}  // namespace standings::engine
