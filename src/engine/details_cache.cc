#include "engine/details_cache.h"

#include <utility>
#include <vector>

namespace standings::engine {

std::size_t DetailsCache::cost(const OwnedDetails& owned) {
    constexpr std::size_t kFixed = 192;  // node, control block, key in map and sweep
    const ledger::Details& details = owned.details;
    return kFixed + owned.player.size() + (details.name ? details.name->size() : 0) +
           (details.meta ? details.meta->size() : 0);
}

SharedDetails DetailsCache::find(ledger::EntryKey key, std::string_view player) {
    Shard& shard = shard_of(key);
    const std::lock_guard hold(shard.mutex);
    const auto found = shard.entries.find(key);
    if (found == shard.entries.end() || found->second.details->player != player) return nullptr;
    found->second.read_lately = true;
    return found->second.details;
}

void DetailsCache::put(ledger::EntryKey key, SharedDetails details) {
    Shard& shard = shard_of(key);
    const std::lock_guard hold(shard.mutex);
    ++shard.writes;
    insert(shard, key, std::move(details));
}

DetailsCache::Ticket DetailsCache::ticket(ledger::EntryKey key) {
    Shard& shard = shard_of(key);
    const std::lock_guard hold(shard.mutex);
    return shard.writes;
}

void DetailsCache::fill(ledger::EntryKey key, SharedDetails details, Ticket ticket) {
    Shard& shard = shard_of(key);
    const std::lock_guard hold(shard.mutex);
    if (shard.writes != ticket) return;
    insert(shard, key, std::move(details));
}

void DetailsCache::insert(Shard& shard, ledger::EntryKey key, SharedDetails details) {
    shard.bytes += cost(*details);
    const auto [at, is_new] = shard.entries.try_emplace(key);
    if (is_new) {
        shard.sweep.push_back(key);
    } else {
        shard.bytes -= cost(*at->second.details);
    }
    at->second.details = std::move(details);

    while (shard.bytes > max_shard_bytes_ && !shard.sweep.empty()) {
        const ledger::EntryKey oldest = shard.sweep.front();
        shard.sweep.pop_front();
        const auto found = shard.entries.find(oldest);
        if (found == shard.entries.end()) continue;
        if (std::exchange(found->second.read_lately, false)) {
            shard.sweep.push_back(oldest);
            continue;
        }
        shard.bytes -= cost(*found->second.details);
        shard.entries.erase(found);
    }
}

void DetailsCache::forget(const std::unordered_set<base::RankingId>& rankings) {
    for (Shard& shard : shards_) {
        std::vector<SharedDetails> ended;  // freed when the mutex is not held any more
        const std::lock_guard hold(shard.mutex);
        ++shard.writes;  // what was read before is not wanted any more
        const auto has_ended = [&](ledger::EntryKey key) { return rankings.contains(key.ranking); };
        boost::unordered::erase_if(shard.entries, [&](auto& entry) {
            if (!has_ended(entry.first)) return false;
            shard.bytes -= cost(*entry.second.details);
            ended.push_back(std::move(entry.second.details));
            return true;
        });
        std::erase_if(shard.sweep, has_ended);
    }
}

std::size_t DetailsCache::bytes() const {
    std::size_t sum = 0;
    for (const Shard& shard : shards_) {
        const std::lock_guard hold(shard.mutex);
        sum += shard.bytes;
    }
    return sum;
}

}  // namespace standings::engine
