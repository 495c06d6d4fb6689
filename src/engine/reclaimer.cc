#include "engine/reclaimer.h"

#include <chrono>
#include <utility>

namespace standings::engine {
namespace {

// Between two looks at all cached names, which take milliseconds each.
constexpr std::chrono::seconds kPause{1};

}  // namespace

Reclaimer::Reclaimer(DetailsCache& details) : details_(details), thread_([this] { work(); }) {}

Reclaimer::~Reclaimer() {
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

void Reclaimer::free_later(base::RankingId ranking, ranking::Board rows) {
    {
        const std::lock_guard hold(mutex_);
        waiting_.rankings.insert(ranking);
        waiting_.rows.push_back(std::move(rows));
    }
    arrived_.notify_one();
}

void Reclaimer::work() {
    std::unique_lock hold(mutex_);
    while (true) {
        arrived_.wait(hold, [this] { return stopping_ || !waiting_.rows.empty(); });
        if (stopping_) return;
        Ended taken = std::exchange(waiting_, {});
        hold.unlock();
        taken.rows.clear();
        details_.forget(taken.rankings);
        hold.lock();
        arrived_.wait_for(hold, kPause, [this] { return stopping_; });
    }
}

}  // namespace standings::engine
