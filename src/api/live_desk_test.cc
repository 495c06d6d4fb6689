#include "api/live_desk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine_harness.h"
#include "ledger/tiny_engine.h"

namespace standings::api {
namespace {

// Runs what is posted when the test says so, on its thread.
class SteppedLoop final : public net::Loop {
  public:
    void post(std::function<void()> task) override {
        const std::lock_guard hold(mutex_);
        tasks_.push_back(std::move(task));
    }
    void after(std::chrono::milliseconds, std::function<void()>) override {}
    std::size_t index() const override { return 0; }

    void run_until(const std::function<bool()>& reached) {
        engine::wait_until([&] {
            while (const auto task = take()) task();
            return reached();
        });
    }

  private:
    std::function<void()> take() {
        const std::lock_guard hold(mutex_);
        if (tasks_.empty()) return nullptr;
        auto task = std::move(tasks_.front());
        tasks_.pop_front();
        return task;
    }

    std::mutex mutex_;
    std::deque<std::function<void()>> tasks_;
};

// Writes down what it hears.
class Follower final : public LiveWatcher {
  public:
    explicit Follower(std::function<void(Follower&)> on_heard) : on_heard_(std::move(on_heard)) {}

    void on_welcome(const live::Audience::Welcome&, FrameBytes* frame) override {
        ASSERT_NE(frame, nullptr);
        seqs.push_back(frame->frame().seq.value);
    }
    void on_refused(live::Refusal) override { FAIL(); }
    void on_frame(FrameBytes& frame) override {
        EXPECT_FALSE(has_left) << "told after it had left";
        seqs.push_back(frame.frame().seq.value);
        on_heard_(*this);
    }
    void on_caught_up(FrameBytes& snapshot) override { seqs.push_back(snapshot.frame().seq.value); }
    void on_event(std::uint64_t, std::string_view) override { EXPECT_FALSE(has_left); }
    void on_end() override {
        EXPECT_FALSE(has_left || has_ended);
        has_ended = true;
    }

    std::vector<std::uint64_t> seqs;
    bool has_left = false;
    bool has_ended = false;

  private:
    const std::function<void(Follower&)> on_heard_;
};

class LiveDeskTest : public testing::Test {
  protected:
    LiveDeskTest() {
        rig_.create();
        rig_.submit("ann", 1);
        publisher_.start();
    }
    ~LiveDeskTest() override {
        rig_.engine().stop();
        publisher_.stop();
    }

    void follow() {
        auto made = std::make_shared<Follower>([this](Follower& who) { on_heard_(who); });
        followers_.push_back(made);
        desk_.watch(made, {.loop = 0,
                           .watcher = {},
                           .view = {live::ViewKind::kTop, "a", "", 10},
                           .rate = 20,
                           .since = {}});
    }
    void leave(Follower& who) {
        who.has_left = true;
        desk_.unwatch(who);
    }
    std::vector<Follower*> present() const {
        std::vector<Follower*> all;
        for (const auto& one : followers_) {
            if (!one->has_left) all.push_back(one.get());
        }
        return all;
    }
    bool all_have(std::uint64_t seq) const {
        return std::ranges::all_of(present(), [&](const Follower* one) {
            return !one->seqs.empty() && one->seqs.back() == seq;
        });
    }
    // The board's seq then.
    std::uint64_t submit(std::int64_t score) {
        rig_.submit("ann", score);
        return rig_.board()->seq().value;
    }
    void run_until(const std::function<bool()>& reached) {
        loop_.run_until([&] {
            rig_.clock().move(std::chrono::milliseconds(1));
            return reached();
        });
    }

    engine::Rig<engine::MemorySubject> rig_;
    Publisher publisher_{rig_.engine()};
    SteppedLoop loop_;
    LiveDesk desk_{publisher_, loop_, rig_.engine().epoch()};
    std::function<void(Follower&)> on_heard_ = [](Follower&) {};
    std::vector<std::shared_ptr<Follower>> followers_;
};

constexpr std::size_t kCrowd = 200;  // several slices

TEST_F(LiveDeskTest, OtherWorkGetsItsTurnInTheMiddleOfAFrame) {
    for (std::size_t i = 0; i < kCrowd; ++i) follow();
    run_until([&] { return all_have(rig_.board()->seq().value); });
    std::size_t heard = 0;
    std::size_t heard_at_its_turn = 0;
    on_heard_ = [&](Follower&) {
        if (heard++ == 0) loop_.post([&] { heard_at_its_turn = heard; });
    };
    const std::uint64_t seq = submit(2);
    run_until([&] { return all_have(seq); });
    EXPECT_EQ(heard, kCrowd);
    EXPECT_GT(heard_at_its_turn, 0U);
    EXPECT_LT(heard_at_its_turn, kCrowd / 2);
}

TEST_F(LiveDeskTest, EachHearsEachFrameOnceWhoeverLeavesInTheMiddle) {
    std::mt19937_64 random(ledger::test_seed());
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(ledger::test_seed()));
    std::size_t left = 0;
    on_heard_ = [&](Follower& who) {
        if (random() % 40 != 0) return;
        // Itself, or another one, who has the frame already or has not.
        const auto all = present();
        leave(random() % 2 == 0 && !who.has_left ? who : *all[random() % all.size()]);
        ++left;
    };
    std::uint64_t seq = rig_.board()->seq().value;
    for (std::int64_t score = 2; score < 32; ++score) {
        while (present().size() < kCrowd) follow();
        run_until([&] { return all_have(seq); });
        std::vector<std::pair<const Follower*, std::size_t>> before;
        for (const Follower* one : present()) before.emplace_back(one, one->seqs.size());
        seq = submit(score);
        run_until([&] { return all_have(seq); });
        for (const auto& [one, had] : before) {
            ASSERT_TRUE(one->has_left || one->seqs.size() == had + 1);
        }
    }
    EXPECT_GT(left, 50U);

    const auto all = present();
    run_until([&] { return publisher_.watchers() == all.size(); });
    rig_.step_board(ledger::EventKind::kBoardDeleted);
    run_until([&] {
        return std::ranges::all_of(all, [](const Follower* one) { return one->has_ended; });
    });
    EXPECT_EQ(publisher_.watchers(), 0U);
}

}  // namespace
}  // namespace standings::api
