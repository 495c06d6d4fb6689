// Which pages of the database file have changed while somebody copies it.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"

namespace standings::ledger::sqlite {

// Pages that stand side by side in the file; they count from 1, as SQLite counts them.
struct PageRun {
    std::uint64_t first = 1;
    std::uint64_t count = 0;

    bool operator==(const PageRun&) const = default;
};

// Promise: a page that was added is in the next take(), however often it was added. Owner: the copy
// and the checkpointer share it. Thread: any. Cost: a bit for each page up to the largest one.
class MovedPages {
  public:
    void add(const std::vector<std::uint32_t>& pages);
    // What was added since the last time, in the file's order.
    std::vector<PageRun> take();
    std::uint64_t count() const;

    // Pages may have been moved that nobody could take note of: a copy that relies on this one is
    // worthless. The first reason stays.
    void lose(base::Error why);
    std::optional<base::Error> lost() const;

  private:
    mutable std::mutex mutex_;
    std::vector<bool> marked_;  // by page number
    std::uint64_t count_ = 0;
    std::optional<base::Error> lost_;
};

}  // namespace standings::ledger::sqlite
