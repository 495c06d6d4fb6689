#include "ledger/sqlite/moved_pages.h"

#include <utility>

namespace standings::ledger::sqlite {

void MovedPages::add(const std::vector<std::uint32_t>& pages) {
    const std::lock_guard hold(mutex_);
    for (const std::uint32_t page : pages) {
        if (page >= marked_.size()) marked_.resize(std::size_t{page} + 1);
        if (!marked_[page]) ++count_;
        marked_[page] = true;
    }
}

std::vector<PageRun> MovedPages::take() {
    std::vector<bool> marked;
    {
        const std::lock_guard hold(mutex_);
        marked = std::exchange(marked_, {});
        count_ = 0;
    }
    std::vector<PageRun> runs;
    for (std::uint64_t page = 0; page < marked.size(); ++page) {
        if (!marked[page]) continue;
        if (runs.empty() || runs.back().first + runs.back().count != page) {
            runs.push_back({.first = page});
        }
        ++runs.back().count;
    }
    return runs;
}

std::uint64_t MovedPages::count() const {
    const std::lock_guard hold(mutex_);
    return count_;
}

void MovedPages::lose(base::Error why) {
    const std::lock_guard hold(mutex_);
    if (!lost_) lost_ = std::move(why);
}

std::optional<base::Error> MovedPages::lost() const {
    const std::lock_guard hold(mutex_);
    return lost_;
}

}  // namespace standings::ledger::sqlite
