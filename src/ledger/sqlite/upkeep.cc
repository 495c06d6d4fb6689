#include "ledger/sqlite/upkeep.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "ledger/sqlite/wal_format.h"

namespace standings::ledger::sqlite {
namespace {

using base::Result;

constexpr std::int64_t kSliceRows = 1000;
constexpr std::int64_t kLookEveryMs = 1000;
// Free pages below this, or below an eighth of the file, are left for rows to come.
constexpr std::int64_t kSpareFreePages = 256;

}  // namespace

Result<Upkeep> Upkeep::prepare(Connection& connection, const Retention& retention) {
    Upkeep upkeep(retention);
    const std::pair<Statement*, std::string_view> statements[] = {
        {&upkeep.entry_bound_,
         "SELECT slot FROM entry WHERE ranking = ?1 ORDER BY slot LIMIT 1 OFFSET ?2"},
        {&upkeep.entry_remove_, "DELETE FROM entry WHERE ranking = ?1 AND slot < ?2"},
        {&upkeep.player_bound_,
         "SELECT slot FROM player WHERE ranking = ?1 ORDER BY slot LIMIT 1 OFFSET ?2"},
        {&upkeep.player_remove_, "DELETE FROM player WHERE ranking = ?1 AND slot < ?2"},
        {&upkeep.old_remove_, "DELETE FROM old_ranking WHERE ranking = ?1"},
        {&upkeep.first_event_, "SELECT seq FROM event ORDER BY seq LIMIT 1"},
        {&upkeep.first_kept_,
         "SELECT seq FROM event WHERE seq >= ?1 AND seq < ?2 AND at >= ?3 ORDER BY seq LIMIT 1"},
        {&upkeep.event_remove_, "DELETE FROM event WHERE seq < ?1"},
        {&upkeep.stream_remove_,
         "DELETE FROM stream WHERE key IN"
         " (SELECT key FROM stream WHERE at < ?1 ORDER BY at LIMIT ?2)"},
        {&upkeep.page_count_, "PRAGMA page_count"},
        {&upkeep.free_pages_, "PRAGMA freelist_count"},
        {&upkeep.vacuum_, "PRAGMA incremental_vacuum(128)"},
    };
    for (const auto& [out, sql] : statements) {
        auto statement = connection.prepare(sql);
        if (!statement) return statement.error();
        *out = *std::move(statement);
    }
    auto old = connection.prepare("SELECT ranking FROM old_ranking");
    if (!old) return old.error();
    while (true) {
        const auto found = old->step();
        if (!found) return found.error();
        if (!*found) return upkeep;
        upkeep.old_.insert({static_cast<std::uint32_t>(old->number(0))});
    }
}

bool Upkeep::due(base::Instant now) const {
    if (!old_.empty() || more_ || !looked_) return true;
    return std::abs(now.ms - looked_->ms) >= kLookEveryMs;
}

Result<bool> Upkeep::slice(base::Instant now, base::Sequence keep_from) {
    if (!old_.empty()) {
        if (auto done = sweep_ranking(*old_.begin()); !done) return done.error();
        return true;
    }
    looked_ = now;
    auto more = trim_events(now, keep_from);
    if (!more) return more;
    if (!*more) more = trim_streams(now);
    if (!more) return more;
    if (!*more) more = vacuum();
    if (more) more_ = *more;
    return more;
}

void Upkeep::ended(bool committed) {
    if (committed && swept_) old_.erase(*swept_);
    swept_.reset();
}

Result<void> Upkeep::sweep_ranking(base::RankingId ranking) {
    const auto entries = sweep_table(entry_bound_, entry_remove_, ranking);
    if (!entries) return entries.error();
    const auto players = sweep_table(player_bound_, player_remove_, ranking);
    if (!players) return players.error();
    if (*entries || *players) return {};
    old_remove_.bind(1, ranking.value);
    swept_ = ranking;
    return old_remove_.run();
}

// True when rows of the ranking are left.
Result<bool> Upkeep::sweep_table(Statement& bound, Statement& remove, base::RankingId ranking) {
    std::int64_t below = std::int64_t{UINT32_MAX} + 1;
    bool left = false;
    {
        const ResetLater reset(bound);
        bound.bind(1, ranking.value);
        bound.bind(2, kSliceRows);
        const auto found = bound.step();
        if (!found) return found;
        left = *found;
        if (left) below = bound.number(0);
    }
    remove.bind(1, ranking.value);
    remove.bind(2, below);
    if (auto done = remove.run(); !done) return done.error();
    return left;
}

// Only a prefix of the ledger goes: up to the first event that any reason keeps.
Result<bool> Upkeep::trim_events(base::Instant now, base::Sequence keep_from) {
    const auto first = number_of(first_event_);
    if (!first) return first.error();
    const std::int64_t end =
        std::min(*first + kSliceRows, static_cast<std::int64_t>(keep_from.value));
    if (*first == 0 || *first >= end) return false;

    // The first event of the slice that is young enough.
    const auto first_young = [&]() -> Result<std::int64_t> {
        const ResetLater reset(first_kept_);
        first_kept_.bind(1, *first);
        first_kept_.bind(2, end);
        first_kept_.bind(3, now.ms - retention_.age_ms);
        const auto found = first_kept_.step();
        if (!found) return found.error();
        return *found ? first_kept_.number(0) : end;
    };
    const auto expired = first_young();
    if (!expired) return expired.error();
    const auto pages = number_of(page_count_);
    if (!pages) return pages.error();
    const auto free_pages = number_of(free_pages_);
    if (!free_pages) return free_pages.error();
    const auto used = static_cast<std::uint64_t>((*pages - *free_pages) * kPageBytes);
    const std::int64_t below = used > retention_.bytes ? end : *expired;
    if (below <= *first) return false;

    event_remove_.bind(1, below);
    if (auto done = event_remove_.run(); !done) return done.error();
    return below == *first + kSliceRows;
}

Result<bool> Upkeep::trim_streams(base::Instant now) {
    stream_remove_.bind(1, now.ms - retention_.stream_age_ms);
    stream_remove_.bind(2, kSliceRows);
    if (auto done = stream_remove_.run(); !done) return done.error();
    return false;
}

// Moves a few of the last pages into free ones and cuts the file.
Result<bool> Upkeep::vacuum() {
    const auto spare = [&]() -> Result<bool> {
        const auto pages = number_of(page_count_);
        if (!pages) return pages.error();
        const auto free_pages = number_of(free_pages_);
        if (!free_pages) return free_pages.error();
        return *free_pages > std::max(kSpareFreePages, *pages / 8);
    };
    auto wanted = spare();
    if (!wanted || !*wanted) return wanted;
    const ResetLater reset(vacuum_);
    while (true) {
        const auto step = vacuum_.step();
        if (!step) return step;
        if (!*step) break;
    }
    return spare();
}

Result<std::int64_t> Upkeep::number_of(Statement& statement) {
    const ResetLater reset(statement);
    const auto found = statement.step();
    if (!found) return found.error();
    return *found ? statement.number(0) : 0;
}

}  // namespace standings::ledger::sqlite
