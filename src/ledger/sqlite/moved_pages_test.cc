#include "ledger/sqlite/moved_pages.h"

#include <gtest/gtest.h>

namespace standings::ledger::sqlite {
namespace {

using Runs = std::vector<PageRun>;

TEST(MovedPages, GivesEachPageOnceInTheOrderOfTheFile) {
    MovedPages pages;
    EXPECT_EQ(pages.take(), Runs{});
    pages.add({7, 1, 2, 9, 2, 8});
    pages.add({3, 100'000, 7});
    EXPECT_EQ(pages.count(), 7U);
    EXPECT_EQ(pages.take(), (Runs{{1, 3}, {7, 3}, {100'000, 1}}));
    EXPECT_EQ(pages.count(), 0U);
    EXPECT_EQ(pages.take(), Runs{});
    pages.add({2});
    EXPECT_EQ(pages.take(), (Runs{{2, 1}}));
}

}  // namespace
}  // namespace standings::ledger::sqlite
