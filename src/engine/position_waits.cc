#include "engine/position_waits.h"

#include <utility>
#include <vector>

namespace standings::engine {
namespace {

void deliver(std::unique_ptr<Operation> operation) {
    Mailbox& home = operation->home();
    std::vector<std::unique_ptr<Operation>> finished;
    finished.push_back(std::move(operation));
    home.deliver(std::move(finished));
}

}  // namespace

PositionWaits::WaitId PositionWaits::add(base::Sequence seq,
                                         std::unique_ptr<Operation>& operation) {
    const std::lock_guard hold(mutex_);
    if (waits_.size() >= most_) return kNone;
    const WaitId id = next_id_++;
    if (seq <= applied_) {  // reached between the caller's look and now
        deliver(std::move(operation));
        return id;
    }
    waits_.emplace(seq, Wait{id, std::move(operation)});
    return id;
}

std::unique_ptr<Operation> PositionWaits::cancel(base::Sequence seq, WaitId id) {
    const std::lock_guard hold(mutex_);
    const auto [from, to] = waits_.equal_range(seq);
    for (auto at = from; at != to; ++at) {
        if (at->second.id != id) continue;
        auto operation = std::move(at->second.operation);
        waits_.erase(at);
        return operation;
    }
    return nullptr;
}

void PositionWaits::on_applied(base::Sequence seq) {
    std::vector<std::unique_ptr<Operation>> reached;
    {
        const std::lock_guard hold(mutex_);
        applied_ = seq;
        const auto to = waits_.upper_bound(seq);
        for (auto at = waits_.begin(); at != to; ++at) {
            reached.push_back(std::move(at->second.operation));
        }
        waits_.erase(waits_.begin(), to);
    }
    for (auto& operation : reached) deliver(std::move(operation));
}

std::size_t PositionWaits::size() const {
    const std::lock_guard hold(mutex_);
    return waits_.size();
}

}  // namespace standings::engine
