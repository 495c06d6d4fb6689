// Reads that take long, on worker threads, and their answers on the loop's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "api/call.h"
#include "base/result.h"
#include "engine/read_pool.h"

namespace standings::api {

template <class Found>
class SlowRead final : public engine::ReadOperation {
  public:
    using Read = std::function<base::Result<Found>(ledger::LedgerReader&)>;
    using Answer = std::function<void(Found&, Reply&)>;

    SlowRead(Reply reply, Read read, Answer answer)
        : ReadOperation(reply.tools().mailbox),
          reply_(std::move(reply)),
          read_(std::move(read)),
          answer_(std::move(answer)) {}

    void run(ledger::LedgerReader& reader) override {
        auto found = read_(reader);
        if (found) {
            found_ = *std::move(found);
        } else {
            error = found.error();
        }
    }
    void finished() override {
        if (error) return reply_.problem(*error);
        answer_(*found_, reply_);
    }
    Reply& reply() { return reply_; }

  private:
    Reply reply_;
    Read read_;
    Answer answer_;
    std::optional<Found> found_;
};

// Calls `read` on a worker's thread, then `answer` on the loop's; a failure, or a pool that is
// full, is answered as a problem.
template <class Found>
void read_slowly(Reply reply, typename SlowRead<Found>::Read read,
                 typename SlowRead<Found>::Answer answer) {
    engine::Engine& engine = reply.tools().service.engine;
    std::unique_ptr<engine::ReadOperation> operation =
        std::make_unique<SlowRead<Found>>(std::move(reply), std::move(read), std::move(answer));
    const auto taken = engine.read_slowly(operation);
    if (!taken) static_cast<SlowRead<Found>&>(*operation).reply().problem(taken.error());
}

}  // namespace standings::api
