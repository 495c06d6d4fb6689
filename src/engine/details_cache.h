// Names and meta of entries that were read or written lately; the rest is on disk.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "ledger/records.h"

namespace standings::engine {

// Names and meta together with whose they are: a slot may be another player's by the time that
// somebody looks, and then these are not shown.
struct OwnedDetails {
    std::string player;
    ledger::Details details;
};
using SharedDetails = std::shared_ptr<const OwnedDetails>;

inline SharedDetails share_details(std::string_view player, ledger::Details details) {
    return std::make_shared<const OwnedDetails>(
        OwnedDetails{std::string(player), std::move(details)});
}

// Promise: what it answers is never older than the last applied event of the entry. Bounded by
// `max_bytes`; when full, what was not read since the last sweep goes first (second chance).
// Owner: the engine. Threads: any; each call but forget() holds one of 16 mutexes for ~50 ns.
class DetailsCache {
  public:
    explicit DetailsCache(std::size_t max_bytes) : max_shard_bytes_(max_bytes / kShards) {}

    // None: not cached, or of another player who had or has the slot; ask the ledger.
    SharedDetails find(ledger::EntryKey key, std::string_view player);

    // The committer's side: what has just become durable. A removed entry has empty details.
    void put(ledger::EntryKey key, SharedDetails details);

    // A reader of the database takes a ticket before it reads and gives it back with what it read;
    // the fill is dropped when the committer wrote in between.
    using Ticket = std::uint64_t;
    Ticket ticket(ledger::EntryKey key);
    void fill(ledger::EntryKey key, SharedDetails details, Ticket ticket);

    // What is cached of rankings that have ended. Looks at all that is cached, a 16th of it under
    // each mutex.
    void forget(const std::unordered_set<base::RankingId>& rankings);

    std::size_t bytes() const;

  private:
    static constexpr std::size_t kShards = 16;

    struct KeyHash {
        std::size_t operator()(const ledger::EntryKey& key) const noexcept {
            return std::hash<std::uint64_t>{}((std::uint64_t{key.ranking.value} << 32) |
                                              key.slot.value);
        }
    };
    struct Cached {
        SharedDetails details;
        bool read_lately = false;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::uint64_t writes = 0;
        std::size_t bytes = 0;
        boost::unordered_flat_map<ledger::EntryKey, Cached, KeyHash> entries;
        std::deque<ledger::EntryKey> sweep;
    };

    Shard& shard_of(ledger::EntryKey key) { return shards_[key.slot.value % kShards]; }
    void insert(Shard& shard, ledger::EntryKey key, SharedDetails details);
    static std::size_t cost(const OwnedDetails& owned);

    const std::size_t max_shard_bytes_;
    std::array<Shard, kShards> shards_;
};

}  // namespace standings::engine
