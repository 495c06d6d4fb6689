#include "engine/write_queue.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/engine_harness.h"

namespace standings::engine {
namespace {

class Numbered final : public Operation {
  public:
    Numbered(Mailbox& home, int number) : Operation(home), number_(number) {}
    void finished() override {}
    int number() const { return number_; }

  private:
    int number_;
};

class WriteQueueTest : public ::testing::Test {
  protected:
    WriteQueue::Push single(int number, std::size_t changes = 1) {
        std::unique_ptr<Operation> operation = std::make_unique<Numbered>(desk_, number);
        const auto push = queue_.push_single(operation, changes);
        EXPECT_EQ(operation == nullptr, push == WriteQueue::Push::kTaken);
        return push;
    }
    WriteQueue::Push bulk(int number, std::size_t changes) {
        std::unique_ptr<Operation> operation = std::make_unique<Numbered>(desk_, number);
        const auto push = queue_.push_bulk(operation, changes);
        EXPECT_EQ(operation == nullptr, push == WriteQueue::Push::kTaken);
        return push;
    }
    std::vector<int> take() {
        std::vector<int> numbers;
        for (const auto& operation : queue_.take(base::Monotonic(0))) {
            numbers.push_back(static_cast<Numbered&>(*operation).number());
        }
        return numbers;
    }

    using Numbers = std::vector<int>;
    Desk desk_;
    WriteQueue queue_{{.singles = 14, .bulk_changes = 20, .batch_changes = 10}};
};

TEST_F(WriteQueueTest, GivesNothingWhenNothingCame) {
    EXPECT_EQ(take(), Numbers{});
    EXPECT_EQ(queue_.depth(), 0U);
}

TEST_F(WriteQueueTest, KeepsTheOrderOfALane) {
    for (const int number : {1, 2, 3}) EXPECT_EQ(single(number), WriteQueue::Push::kTaken);
    EXPECT_EQ(queue_.depth(), 3U);
    EXPECT_EQ(take(), (Numbers{1, 2, 3}));
}

TEST_F(WriteQueueTest, RefusesASingleWhenItsLaneIsFull) {
    for (const int number : {1, 2}) EXPECT_EQ(single(number, 7), WriteQueue::Push::kTaken);
    EXPECT_EQ(single(5), WriteQueue::Push::kFull) << "an array weighs what it holds";
    EXPECT_EQ(bulk(6, 1), WriteQueue::Push::kTaken) << "the other lane has room";
    take();
    EXPECT_EQ(single(5), WriteQueue::Push::kTaken);
}

TEST_F(WriteQueueTest, BoundsBulkByItsChanges) {
    EXPECT_EQ(bulk(1, 10), WriteQueue::Push::kTaken);
    EXPECT_EQ(bulk(2, 10), WriteQueue::Push::kTaken);
    EXPECT_EQ(bulk(3, 1), WriteQueue::Push::kFull);
    EXPECT_EQ(single(4), WriteQueue::Push::kTaken);
    EXPECT_EQ(take(), (Numbers{1, 4}));
    EXPECT_EQ(bulk(3, 1), WriteQueue::Push::kTaken);
}

TEST_F(WriteQueueTest, GivesBulkHalfABatchWhileSinglesWait) {
    for (const int number : {1, 2, 3, 4}) bulk(number, 2);
    single(10);
    // 2 + 2 fit half of ten; the third piece would not.
    EXPECT_EQ(take(), (Numbers{1, 2, 10}));
    EXPECT_EQ(take(), (Numbers{3, 4})) << "alone, bulk may have the whole batch";
}

TEST_F(WriteQueueTest, NeverKeepsSinglesOutOfABatch) {
    bulk(1, 19);
    single(2, 7);
    single(3, 7);
    EXPECT_EQ(take(), (Numbers{1, 2})) << "a piece beyond the batch leaves room for one single";
    EXPECT_EQ(take(), (Numbers{3}));
}

TEST_F(WriteQueueTest, TakesAnOperationLargerThanABatch) {
    single(1, 13);
    single(2);
    EXPECT_EQ(take(), (Numbers{1}));
    EXPECT_EQ(take(), (Numbers{2}));
}

TEST_F(WriteQueueTest, GivesOutWhatIsInsideAfterItIsClosed) {
    single(1);
    bulk(2, 1);
    queue_.close();
    EXPECT_EQ(single(3), WriteQueue::Push::kClosed);
    EXPECT_EQ(bulk(4, 1), WriteQueue::Push::kClosed);
    EXPECT_FALSE(queue_.closed_and_empty());
    EXPECT_EQ(take(), (Numbers{2, 1}));
    EXPECT_TRUE(queue_.closed_and_empty());
}

TEST_F(WriteQueueTest, WakesTheCommitterForAPushAndForTheEnd) {
    std::vector<int> got;
    std::thread committer([&] {
        while (!queue_.closed_and_empty()) {
            for (const auto& operation : queue_.take(std::nullopt)) {
                got.push_back(static_cast<Numbered&>(*operation).number());
            }
        }
    });
    single(1);
    wait_until([&] { return queue_.depth() == 0; });
    bulk(2, 1);
    wait_until([&] { return queue_.depth() == 0; });
    queue_.close();
    committer.join();
    EXPECT_EQ(got, (Numbers{1, 2}));
}

}  // namespace
}  // namespace standings::engine
