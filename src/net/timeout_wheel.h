// All time-outs of a loop in one place, behind one timer.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace standings::net {

// Milliseconds on the loop's own monotonic clock.
using Tick = std::int64_t;
inline constexpr Tick kNoDeadline = INT64_MAX;

// Something that can time out: one deadline at a time, linked into the wheel by itself.
class TimeoutNode {
  public:
    TimeoutNode() = default;
    TimeoutNode(const TimeoutNode&) = delete;
    TimeoutNode& operator=(const TimeoutNode&) = delete;
    virtual ~TimeoutNode() = default;
    virtual void on_timeout() = 0;

  private:
    friend class TimeoutWheel;
    TimeoutNode* previous_ = nullptr;
    TimeoutNode* next_ = nullptr;
    Tick deadline_ = kNoDeadline;
    Tick due_ = 0;  // when the wheel will look at it: not after the deadline
};

// A ring of slots, each a time step wide. Moving a deadline further away, as each request of a
// keep-alive connection does, costs one store: the node stays where it is and is put further along
// when its old slot comes round. Fires up to one step late, never early. One thread.
class TimeoutWheel {
  public:
    // `step`: the width of a slot, at least 1.
    explicit TimeoutWheel(Tick step);

    void set(TimeoutNode& node, Tick deadline, Tick now);
    void remove(TimeoutNode& node);
    // Calls on_timeout() of each node whose deadline has passed, after taking it out.
    void advance(Tick now);
    // The next time at which advance() has something to look at; none when the wheel is empty.
    std::optional<Tick> next_due() const;

  private:
    static constexpr std::int64_t kSlots = 1024;

    struct Slot final : TimeoutNode {
        void on_timeout() override {}
    };

    void link(TimeoutNode& node, Tick now);
    static void unlink(TimeoutNode& node);
    Slot& slot_at(Tick time) { return slots_[static_cast<std::size_t>(time / step_ % kSlots)]; }

    const Tick step_;
    Tick position_ = 0;  // slots up to here have been looked at
    std::vector<Slot> slots_;
};

}  // namespace standings::net
