#include "base/rw_lock.h"

#include <gtest/gtest.h>

#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace standings::base {
namespace {

TEST(RwLock, ReadersNeverSeeHalfAWrite) {
    RwLock lock;
    std::uint64_t left = 0;
    std::uint64_t right = 0;
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!stop.load()) {
                const std::shared_lock hold(lock);
                ASSERT_EQ(left, right);
            }
        });
    }
    for (int i = 0; i < 20'000; ++i) {
        const std::unique_lock hold(lock);
        ++left;
        ++right;
    }
    stop = true;
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(left, 20'000U);
}

}  // namespace
}  // namespace standings::base
