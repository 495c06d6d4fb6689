#include "api/service.h"

#include <utility>

#include "api/live_desk.h"
#include "api/player_round.h"
#include "api/publisher.h"

namespace standings::api {

void LoopMailbox::deliver(std::vector<std::unique_ptr<engine::Operation>> finished) {
    bool first = false;
    {
        const std::lock_guard hold(mutex_);
        first = waiting_.empty();
        if (first) {
            waiting_ = std::move(finished);
        } else {
            for (auto& operation : finished) waiting_.push_back(std::move(operation));
        }
    }
    if (first) loop_.post([this] { drain(); });
}

void LoopMailbox::drain() {
    std::vector<std::unique_ptr<engine::Operation>> finished;
    {
        const std::lock_guard hold(mutex_);
        finished.swap(waiting_);
    }
    for (auto& operation : finished) operation->finished();
}

LoopTools::LoopTools(Service& shared, net::Loop& own_loop)
    : service(shared),
      loop(own_loop),
      mailbox(own_loop),
      players(std::make_unique<PlayerRound>()),
      live(std::make_unique<LiveDesk>(*shared.publisher, own_loop, shared.engine.epoch())),
      json(shared.limits.max_depth),
      request_base_(shared.random.next()) {}

LoopTools::~LoopTools() = default;

// A server that sheds load must not spend itself on lines that say so.
bool LoopTools::may_complain(base::Monotonic now) {
    constexpr std::uint64_t kPerSecond = 20;
    if (now - complaints_since_ < std::chrono::seconds(1)) return ++complaints_ <= kPerSecond;
    if (complaints_ > kPerSecond) {
        service.log->write(base::LogLevel::kWarning, "more requests failed or were slow",
                           {{"count", complaints_ - kPerSecond}});
    }
    complaints_since_ = now;
    complaints_ = 1;
    return true;
}

std::string LoopTools::make_request_id() {
    // A bijection of the count, so that no two are the same; the rest looks like chance. Twelve
    // characters of five bits each: short enough for a string that allocates nothing.
    std::uint64_t x = request_base_ + ++requests_ * 0x9E3779B97F4A7C15ULL;
    std::string id(12, '0');
    constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
    for (auto digit = id.rbegin(); digit != id.rend(); ++digit, x >>= 5) *digit = kAlphabet[x & 31];
    return id;
}

}  // namespace standings::api
