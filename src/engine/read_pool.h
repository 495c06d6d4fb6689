// Worker threads for reads that need the disk: never an event loop.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "engine/details_cache.h"
#include "engine/operation.h"
#include "ledger/ledger.h"

namespace standings::engine {

// A read that a worker does for a loop.
class ReadOperation : public Operation {
  public:
    using Operation::Operation;
    // On a worker's thread, with a connection of its own.
    virtual void run(ledger::LedgerReader& reader) = 0;

    // Why it failed, or was not run at all.
    std::optional<base::Error> error;
};

// Names and meta from the disk, one a key, which also fill the cache. `players` says whose slots
// the keys were; for one that has lost its slot since, they are empty.
base::Result<std::vector<SharedDetails>> read_details(ledger::LedgerReader& reader,
                                                      DetailsCache& cache,
                                                      std::span<const ledger::EntryKey> keys,
                                                      std::span<const std::string> players);

// Names and meta that the cache does not have.
class DetailsOperation : public ReadOperation {
  public:
    DetailsOperation(Mailbox& home, DetailsCache& cache) : ReadOperation(home), cache_(cache) {}
    void run(ledger::LedgerReader& reader) override;

    std::vector<ledger::EntryKey> keys;
    std::vector<std::string> players;    // whose slots they were when the keys were read
    std::vector<SharedDetails> details;  // one a key, once it has run; empty ones for who is gone

  private:
    DetailsCache& cache_;
};

// Owner: the engine. push() from any thread; bounded.
class ReadPool {
  public:
    // What becomes of operations that wait when the pool ends. Short reads are finished: they may
    // belong to the answer of a submission that is durable. Those that may take seconds each are
    // handed back with kDraining.
    enum class AtStop : std::uint8_t { kFinish, kHandBack };

    static base::Result<std::unique_ptr<ReadPool>> start(ledger::Ledger& ledger,
                                                         std::size_t threads,
                                                         std::size_t max_waiting, AtStop at_stop);
    ~ReadPool();

    // Takes the operation, or answers false when too many wait or the pool ends.
    bool push(std::unique_ptr<ReadOperation>& operation);
    // Finishes what runs, does with what waits as AtStop says, and joins. Idempotent.
    void stop();

  private:
    ReadPool(std::size_t max_waiting, AtStop at_stop)
        : max_waiting_(max_waiting), at_stop_(at_stop) {}
    void work(ledger::LedgerReader& reader);
    static void hand_back(std::unique_ptr<ReadOperation> operation);

    const std::size_t max_waiting_;
    const AtStop at_stop_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::unique_ptr<ReadOperation>> waiting_;
    bool stopping_ = false;
    std::vector<std::unique_ptr<ledger::LedgerReader>> readers_;
    std::vector<std::thread> threads_;
};

}  // namespace standings::engine
