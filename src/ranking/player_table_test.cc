#include "ranking/player_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "ranking/chunks.h"

namespace standings::ranking {
namespace {

std::string long_id(std::size_t number) {
    std::string digits = std::to_string(number);
    return "player-" + std::string(13 - digits.size(), '0') + digits;
}

TEST(Chunks, KeepsEveryElementWhileItGrows) {
    Chunks<std::uint32_t, 16> chunks;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        chunks.push_back(i * 3);
        ASSERT_EQ(chunks.size(), i + 1);
    }
    for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(chunks[i], i * 3);
}

TEST(Chunks, MakesZeroesAlsoWhereSomethingWasBefore) {
    Chunks<std::uint32_t, 16> chunks;
    chunks.push_back(7);
    chunks.pop_back();
    chunks.grow_to(40);
    for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(chunks[i], 0U);
}

TEST(Chunks, StartsSmall) {
    Chunks<std::uint64_t> chunks;
    EXPECT_EQ(chunks.memory_bytes(), 0U);
    chunks.grow_to(1);
    EXPECT_LE(chunks.memory_bytes(), 8 * 8 + 8U);
}

TEST(IdArena, KeepsTextsOfEveryLengthInPlace) {
    IdArena arena;
    std::vector<std::pair<IdOffset, std::string_view>> kept;
    for (std::size_t i = 0; i < 3000; ++i) {
        const std::string text(1 + i % kMaxPlayerId, static_cast<char>('a' + i % 26));
        const IdOffset offset = arena.add(text);
        ASSERT_TRUE(static_cast<bool>(offset));
        kept.emplace_back(offset, arena.text(offset));
        ASSERT_EQ(kept.back().second, text);
    }
    for (std::size_t i = 0; i < kept.size(); ++i) {
        ASSERT_EQ(arena.text(kept[i].first).data(), kept[i].second.data());
        ASSERT_EQ(kept[i].second,
                  std::string(1 + i % kMaxPlayerId, static_cast<char>('a' + i % 26)));
    }
}

TEST(IdArena, UsesFreedBytesAgain) {
    IdArena arena;
    std::vector<IdOffset> offsets;
    for (std::size_t i = 0; i < 1000; ++i) offsets.push_back(arena.add(long_id(i)));
    arena.free(offsets[0]);
    offsets[0] = arena.add(long_id(0));
    const std::size_t before = arena.memory_bytes();
    for (std::size_t round = 0; round < 50; ++round) {
        for (const IdOffset offset : offsets) arena.free(offset);
        for (std::size_t i = 0; i < offsets.size(); ++i) offsets[i] = arena.add(long_id(i + round));
    }
    EXPECT_EQ(arena.memory_bytes(), before);
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        EXPECT_EQ(arena.text(offsets[i]), long_id(i + 49));
    }
}

TEST(PlayerTable, GivesSlotsInOrderAndDroppedOnesAgain) {
    PlayerTable table;
    EXPECT_EQ(table.add("ada").value, 0U);
    EXPECT_EQ(table.add("bob").value, 1U);
    EXPECT_EQ(table.add("cem").value, 2U);
    table.drop({0});
    table.drop({2});
    EXPECT_EQ(table.size(), 1U);
    EXPECT_FALSE(table.find("ada"));
    EXPECT_EQ(table.upcoming_slot(0).value, 2U);
    EXPECT_EQ(table.upcoming_slot(1).value, 0U);
    EXPECT_EQ(table.upcoming_slot(2).value, 3U);
    EXPECT_EQ(table.add("dan").value, 2U);
    EXPECT_EQ(table.add("eve").value, 0U);
    EXPECT_EQ(table.add("fay").value, 3U);
    EXPECT_EQ(table.id({2}), "dan");
    EXPECT_EQ(table.find("fay")->value, 3U);
    table.check();
}

TEST(PlayerTable, FindsEveryoneBeforeAndAfterItSplits) {
    PlayerTable table(1, 1000);
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        ASSERT_EQ(table.add(long_id(i)).value, i);
        if (i % 100 == 0 && i < 2000) table.check();
    }
    table.check();
    EXPECT_FALSE(table.find(long_id(20'000)));
}

TEST(PlayerTable, AgreesWithAMapWhilePlayersComeAndGo) {
    for (const std::size_t split_at : {50U, 100'000U}) {
        PlayerTable table(9, split_at);
        std::map<std::string, std::uint32_t> model;
        std::mt19937_64 random(5);
        for (int i = 0; i < 20'000; ++i) {
            const std::string id = std::to_string(random() % 400);
            if (const auto at = model.find(id); at != model.end()) {
                ASSERT_EQ(table.find(id)->value, at->second);
                if (random() % 2 == 0) continue;
                table.drop({at->second});
                model.erase(at);
            } else {
                ASSERT_FALSE(table.find(id));
                model[id] = table.add(id).value;
            }
            ASSERT_EQ(table.size(), model.size());
        }
        table.check();
        EXPECT_LE(table.slot_limit(), 400U);
    }
}

TEST(PlayerTable, DoesNotGrowWhenPlayersChurn) {
    PlayerTable table;
    const auto churn = [&](std::size_t from) {
        for (std::size_t i = from; i < from + 1000; ++i) table.add(long_id(i));
        for (std::size_t i = from; i < from + 1000; ++i) table.drop(*table.find(long_id(i)));
    };
    churn(0);
    const std::size_t before = table.memory_bytes();
    for (std::size_t round = 1; round < 30; ++round) churn(round * 1000);
    EXPECT_LE(table.memory_bytes(), before * 11 / 10);
    EXPECT_EQ(table.slot_limit(), 1000U);
}

TEST(PlayerTable, LoadsManyWithHoles) {
    PlayerTable table(0, 100);
    std::uint32_t next = 0;
    std::string text;
    table.load([&](base::PlayerSlot& slot, std::string_view& id) {
        if (next == 3000) return false;
        slot = {next};
        text = next % 10 == 3 ? "" : long_id(next);
        id = text;
        next += next % 10 == 5 ? 2U : 1U;  // 6 is skipped
        return true;
    });
    EXPECT_EQ(table.slot_limit(), 3000U);
    EXPECT_EQ(table.size(), 3000U * 8 / 10);
    EXPECT_FALSE(table.in_use({3}));
    EXPECT_FALSE(table.in_use({6}));
    EXPECT_EQ(table.find(long_id(2994))->value, 2994U);
    EXPECT_EQ(table.upcoming_slot(0).value, 2996U);
    table.check();
}

TEST(PlayerTableDeathTest, StopsAtAnIdThatIsTwiceOrOfNoLength) {
    PlayerTable table;
    table.add("ada");
    EXPECT_DEATH(table.add("ada"), "CHECK failed");
    EXPECT_DEATH(table.add(""), "CHECK failed");
    EXPECT_DEATH(table.add(std::string(kMaxPlayerId + 1, 'x')), "CHECK failed");
    EXPECT_DEATH(table.drop({1}), "CHECK failed");
    EXPECT_DEATH(static_cast<void>(table.id({1})), "CHECK failed");
}

}  // namespace
}  // namespace standings::ranking
