#include "net/timeout_wheel.h"

#include <algorithm>

#include "base/check.h"

namespace standings::net {

TimeoutWheel::TimeoutWheel(Tick step) : step_(step), slots_(kSlots) {
    CHECK(step >= 1);
    for (auto& slot : slots_) slot.previous_ = slot.next_ = &slot;
}

void TimeoutWheel::unlink(TimeoutNode& node) {
    node.previous_->next_ = node.next_;
    node.next_->previous_ = node.previous_;
    node.previous_ = node.next_ = nullptr;
}

void TimeoutWheel::link(TimeoutNode& node, Tick now) {
    // Rounded up, so that nothing fires early; beyond the ring, as far as the ring reaches.
    const Tick earliest = std::max(position_, now / step_ * step_) + step_;
    const Tick latest = position_ + (kSlots - 1) * step_;
    const Tick wanted = (node.deadline_ + step_ - 1) / step_ * step_;
    node.due_ = std::clamp(wanted, std::min(earliest, latest), latest);

    auto& slot = slot_at(node.due_);
    node.previous_ = slot.previous_;
    node.next_ = &slot;
    slot.previous_->next_ = &node;
    slot.previous_ = &node;
}

void TimeoutWheel::set(TimeoutNode& node, Tick deadline, Tick now) {
    if (deadline == kNoDeadline) return remove(node);
    node.deadline_ = deadline;
    if (node.next_ != nullptr) {
        if (node.due_ <= deadline + step_) return;
        unlink(node);
    }
    link(node, now);
}

void TimeoutWheel::remove(TimeoutNode& node) {
    node.deadline_ = kNoDeadline;
    if (node.next_ != nullptr) unlink(node);
}

void TimeoutWheel::advance(Tick now) {
    const Tick end = now / step_ * step_;
    // After a long sleep one turn of the ring sees every slot.
    position_ = std::max(position_, end - kSlots * step_);
    while (position_ < end) {
        position_ += step_;
        auto& slot = slot_at(position_);
        // Taken out first: a node may be linked again, even into this slot, while we walk.
        Slot due;
        due.previous_ = due.next_ = &due;
        if (slot.next_ != &slot) {
            due.next_ = slot.next_;
            due.previous_ = slot.previous_;
            due.next_->previous_ = due.previous_->next_ = &due;
            slot.previous_ = slot.next_ = &slot;
        }
        while (due.next_ != &due) {
            auto& node = *due.next_;
            unlink(node);
            if (node.deadline_ > now) {
                link(node, now);
            } else {
                node.deadline_ = kNoDeadline;
                node.on_timeout();
            }
        }
    }
}

std::optional<Tick> TimeoutWheel::next_due() const {
    for (std::int64_t i = 1; i <= kSlots; ++i) {
        const Tick time = position_ + i * step_;
        const auto& slot = slots_[static_cast<std::size_t>(time / step_ % kSlots)];
        if (slot.next_ != &slot) return time;
    }
    return std::nullopt;
}

}  // namespace standings::net
