#include "api/publisher.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace standings::api {
namespace {

// Boards are looked at this often while they move. Half of what the fastest rate needs, so that its
// frames are not late by a whole turn.
constexpr auto kTurn = std::chrono::milliseconds(25);
// ... and looking takes at most a third of the time, however many views there are. Joins come on
// top.
constexpr int kRestPerWork = 2;

template <class... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

}  // namespace

Publisher::Publisher(engine::Engine& engine, live::Hub::Limits limits)
    : engine_(engine),
      clock_(engine.clock()),
      views_(engine, *this),
      hub_(views_, *this, engine.epoch(), limits) {}

Publisher::~Publisher() {
    stop();
}

live::LoopIndex Publisher::add_loop(Listen listen) {
    const std::lock_guard hold(mutex_);
    loops_.emplace_back().listen = std::move(listen);
    return static_cast<live::LoopIndex>(loops_.size() - 1);
}

// --- any thread -----------------------------------------------------------------------------

void Publisher::join(live::Watch watch) {
    ask(std::move(watch));
}

void Publisher::leave(live::LoopIndex loop, live::StreamId stream) {
    ask(Leave{loop, stream});
}

void Publisher::resync(live::LoopIndex loop, live::WatcherId watcher, live::StreamId stream) {
    ask(Resync{loop, watcher, stream});
}

void Publisher::say_bye() {
    ask(Bye{});
}

void Publisher::deliver(std::vector<std::unique_ptr<engine::Operation>> finished) {
    for (auto& operation : finished) ask(std::move(operation));
}

void Publisher::ask(Asked asked) {
    const std::lock_guard hold(mutex_);
    if (std::holds_alternative<live::Watch>(asked)) {
        is_watched_.store(true, std::memory_order_release);
    }
    asked_.push_back(std::move(asked));
    if (asked_.size() == 1) due_.notify_one();
}

void Publisher::on_applied(base::Sequence) {
    if (!is_watched_.load(std::memory_order_acquire)) return;
    const std::lock_guard hold(mutex_);
    if (moved_at_) return;
    moved_at_ = clock_.monotonic();
    due_.notify_one();
}

// --- its thread -----------------------------------------------------------------------------

void Publisher::start() {
    engine_.set_listener(*this);
    thread_ = std::thread([this] { run(); });
}

void Publisher::stop() {
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
        due_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
}

void Publisher::run() {
    while (std::optional<Turn> turn = wait()) {
        const base::Monotonic began = clock_.monotonic();
        for (Asked& asked : turn->asked) answer(asked, began);
        if (turn->looks_at_boards) hub_.tick(began, turn->moved_at);
        views_.forget_arrived();
        watchers_.store(hub_.watchers(), std::memory_order_relaxed);
        streams_.store(hub_.streams(), std::memory_order_relaxed);
        tell_loops();
        if (turn->looks_at_boards) {
            const base::Monotonic took = clock_.monotonic() - began;
            next_look_ = began + std::max<base::Monotonic>(kTurn, kRestPerWork * took + took);
        }
    }
}

std::optional<Publisher::Turn> Publisher::wait() {
    std::unique_lock hold(mutex_);
    while (!stopping_) {
        if (hub_.streams() == 0 && asked_.empty()) {
            is_watched_.store(false, std::memory_order_relaxed);
            moved_at_.reset();
        }
        const base::Monotonic now = clock_.monotonic();
        std::optional<base::Monotonic> due = hub_.next_tick();
        if (moved_at_) due = now;
        if (due) due = std::max(*due, next_look_);
        Turn turn;
        turn.looks_at_boards = due && *due <= now;
        if (turn.looks_at_boards || !asked_.empty()) {
            turn.asked.swap(asked_);
            if (turn.looks_at_boards) turn.moved_at = std::exchange(moved_at_, std::nullopt);
            return turn;
        }
        if (due) {
            due_.wait_for(hold, *due - now);
        } else {
            due_.wait(hold);
        }
    }
    return std::nullopt;
}

void Publisher::answer(Asked& asked, base::Monotonic now) {
    std::visit(
        Overloaded{[&](const live::Watch& watch) { hub_.join(watch, now); },
                   [&](const Leave& gone) { hub_.leave(gone.loop, gone.stream, now); },
                   [&](const Resync& slow) { hub_.resync(slow.loop, slow.watcher, slow.stream); },
                   [&](const Bye& bye) {
                       const live::LoopIndex loops = loop_count();
                       for (live::LoopIndex loop = 0; loop < loops; ++loop) tell(loop, bye);
                   },
                   [&](const std::unique_ptr<engine::Operation>& names) {
                       names->finished();
                       hub_.retry(now);
                   }},
        asked);
}

live::LoopIndex Publisher::loop_count() {
    const std::lock_guard hold(mutex_);
    return static_cast<live::LoopIndex>(loops_.size());
}

Publisher::Loop& Publisher::loop(live::LoopIndex index) {
    const std::lock_guard hold(mutex_);
    return loops_[index];
}

void Publisher::heard(live::LoopIndex loop) {
    --this->loop(loop).unheard;
}

bool Publisher::is_ready(live::LoopIndex loop) {
    return this->loop(loop).unheard == 0;
}

void Publisher::tell_loops() {
    for (live::LoopIndex loop = 0; loop < told_.size(); ++loop) {
        if (told_[loop].empty()) continue;
        told_[loop].emplace_back(TurnEnd{});
        Loop& listener = this->loop(loop);
        ++listener.unheard;
        listener.listen(std::exchange(told_[loop], {}));
    }
}

void Publisher::tell(live::LoopIndex loop, Told told) {
    if (told_.size() <= loop) told_.resize(loop + 1);
    told_[loop].push_back(std::move(told));
}

void Publisher::welcome(live::LoopIndex loop, live::WatcherId watcher, const Welcome& welcome) {
    tell(loop, Welcomed{watcher, welcome});
}

void Publisher::refuse(live::LoopIndex loop, live::WatcherId watcher, live::Refusal why) {
    tell(loop, Refused{watcher, why});
}

void Publisher::catch_up(live::LoopIndex loop, live::WatcherId watcher,
                         const live::SharedFrame& snapshot) {
    tell(loop, CaughtUp{watcher, snapshot});
}

void Publisher::publish(live::LoopIndex loop, live::StreamId stream, const live::SharedFrame& frame,
                        base::Monotonic changed_at) {
    tell(loop, Published{stream, frame, changed_at});
}

void Publisher::announce(live::LoopIndex loop, std::string_view board, std::string_view json) {
    tell(loop, Announced{std::string(board), std::string(json)});
}

void Publisher::end(live::LoopIndex loop, live::StreamId stream) {
    tell(loop, Ended{stream});
}

}  // namespace standings::api
