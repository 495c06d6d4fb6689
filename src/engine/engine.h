// The running core: boards in memory, the committer behind them, and what event loops may call.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "engine/committer.h"
#include "engine/details_cache.h"
#include "engine/feed.h"
#include "engine/loader.h"
#include "engine/operation.h"
#include "engine/position_waits.h"
#include "engine/read_pool.h"
#include "engine/registry.h"
#include "engine/statistics.h"
#include "engine/write_queue.h"
#include "ledger/ledger.h"

namespace standings::engine {

// Promise: what was acknowledged is durable and applied; reads are exact at the seq they name.
// Owner: the server. Threads: any, but for stop().
class Engine {
  public:
    struct Options {
        WriteQueue::Bounds queue = {};
        LoadOptions load = {};
        std::size_t details_cache_bytes = std::size_t{64} << 20;
        std::size_t read_threads = 1;
        std::size_t max_waiting_reads = 4096;
        // For reads that take long: lists, exports, histories.
        std::size_t slow_read_threads = 3;
        std::size_t max_waiting_slow_reads = 64;
        // Where large answers are kept while they are read; empty: the system's temporary folder.
        std::string spool_folder = {};
        std::size_t max_position_waits = 10'000;
        Committer::Options committer = {};
    };

    // Loads everything into memory and starts the committer.
    static base::Result<std::unique_ptr<Engine>> start(std::unique_ptr<ledger::Ledger> ledger,
                                                       const base::Clock& clock,
                                                       const Options& options);
    ~Engine();

    // Hands an operation over; its home gets it back finished. A failure (kOverloaded, kDraining)
    // leaves it with the caller.
    base::Result<void> submit(std::unique_ptr<Operation>& operation,
                              EntryOperation::Lane lane = EntryOperation::Lane::kSingle,
                              std::size_t changes = 1);
    base::Result<void> read(std::unique_ptr<ReadOperation>& operation);
    // On threads of their own, so that names never wait behind an export. kOverloaded as above.
    base::Result<void> read_slowly(std::unique_ptr<ReadOperation>& operation);

    // Any thread: a backup that the committer has delivered without an error, made durable and
    // read.
    base::Result<ledger::BackupFacts> seal_backup(const std::string& path,
                                                  const std::function<bool()>& cancelled) {
        return ledger_->seal_backup(path, cancelled);
    }

    // Any thread: one more who hears what was applied, on the committer's thread. Lives until
    // stop().
    void set_listener(CommitListener& listener) { applied_.also.store(&listener); }

    Registry& registry() { return registry_; }
    DetailsCache& details() { return details_; }
    const Feed& feed() const { return feed_; }
    PositionWaits& waits() { return waits_; }
    const Statistics& statistics() const { return statistics_; }
    const std::string& epoch() const { return epoch_; }
    std::uint64_t hash_seed() const { return hash_seed_; }
    base::Sequence applied_seq() const {
        return {statistics_.applied_seq.load(std::memory_order_acquire)};
    }
    const std::string& spool_folder() const { return spool_folder_; }
    const base::Clock& clock() const { return clock_; }
    std::size_t queue_depth() const { return queue_.depth(); }

    // Commits and answers what waits, writes everything back, closes the ledger. Loops must still
    // take deliveries. Idempotent.
    void stop();

  private:
    // Wakes the reads that wait for a position, and who else listens.
    class Applied final : public CommitListener {
      public:
        explicit Applied(PositionWaits& waits) : waits_(waits) {}
        void on_applied(base::Sequence seq) override {
            waits_.on_applied(seq);
            if (CommitListener* const other = also.load(std::memory_order_acquire)) {
                other->on_applied(seq);
            }
        }
        std::atomic<CommitListener*> also{nullptr};

      private:
        PositionWaits& waits_;
    };

    Engine(std::unique_ptr<ledger::Ledger> ledger, const base::Clock& clock,
           const Options& options);
    void fill_feed();

    std::unique_ptr<ledger::Ledger> ledger_;
    const base::Clock& clock_;
    const std::string epoch_;
    const std::uint64_t hash_seed_;
    const std::string spool_folder_;
    Registry registry_;
    DetailsCache details_;
    Feed feed_;
    PositionWaits waits_;
    Applied applied_{waits_};
    Statistics statistics_;
    WriteQueue queue_;
    std::unique_ptr<ReadPool> reads_;
    std::unique_ptr<ReadPool> slow_reads_;
    std::unique_ptr<Committer> committer_;
};

}  // namespace standings::engine
