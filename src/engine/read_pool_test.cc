#include "engine/read_pool.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "engine/engine_harness.h"
#include "ledger/memory/memory_ledger.h"

namespace standings::engine {
namespace {

// Says when it runs, and ends when it may.
class HeldRead final : public ReadOperation {
  public:
    HeldRead(Mailbox& home, std::promise<void>& begun, std::shared_future<void> may_end)
        : ReadOperation(home), begun_(begun), may_end_(std::move(may_end)) {}
    void run(ledger::LedgerReader&) override {
        begun_.set_value();
        may_end_.wait();
    }
    void finished() override {}

  private:
    std::promise<void>& begun_;
    std::shared_future<void> may_end_;
};

TEST(ReadPool, HandsBackWhatWaitsWhenItEnds) {
    const auto ledger = ledger::MemoryLedger::open();
    const auto pool = ReadPool::start(*ledger, 1, 10, ReadPool::AtStop::kHandBack).value();
    Desk desk;
    std::promise<void> begun;
    std::promise<void> never_begun;
    std::promise<void> may_end;
    const std::shared_future<void> end = may_end.get_future().share();
    std::unique_ptr<ReadOperation> running = std::make_unique<HeldRead>(desk, begun, end);
    ASSERT_TRUE(pool->push(running));
    begun.get_future().wait();
    std::unique_ptr<ReadOperation> waiting = std::make_unique<HeldRead>(desk, never_begun, end);
    ASSERT_TRUE(pool->push(waiting));

    std::thread stopping([&] { pool->stop(); });
    // Before the one that runs has ended.
    const auto refused = desk.take(1);
    const auto& error = static_cast<ReadOperation&>(*refused[0][0]).error;
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, base::ErrorCode::kDraining);
    may_end.set_value();
    const auto read = desk.take(1);
    EXPECT_FALSE(static_cast<ReadOperation&>(*read[0][0]).error);
    stopping.join();
    std::unique_ptr<ReadOperation> late = std::make_unique<HeldRead>(desk, never_begun, end);
    EXPECT_FALSE(pool->push(late));
}

}  // namespace
}  // namespace standings::engine
