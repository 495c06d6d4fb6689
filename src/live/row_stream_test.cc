#include "live/row_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace standings::live {
namespace {

// "a:1 b:2": players with what their rows say.
Reading reading(std::uint64_t seq, const std::string& rows, std::size_t total = 9) {
    Reading made{{seq}, total, {}};
    for (std::size_t at = 0; at < rows.size(); at += 4) {
        made.rows.push_back({rows.substr(at, 1), rows.substr(at + 2, 1)});
    }
    return made;
}

RowStream stream(const std::string& rows, std::uint64_t seq = 5) {
    return RowStream("b/all/top/10", "k3", reading(seq, rows));
}

TEST(RowStream, BeginsWithASnapshot) {
    RowStream rows = stream("a:1 b:2");
    EXPECT_EQ(
        rows.snapshot()->json,
        R"({"view":"b/all/top/10","type":"snapshot","epoch":"k3","seq":5,"total":9,"rows":[1,2]})");
    EXPECT_EQ(rows.snapshot(), rows.snapshot()) << "written once";
    EXPECT_EQ(
        stream("").snapshot()->json,
        R"({"view":"b/all/top/10","type":"snapshot","epoch":"k3","seq":5,"total":9,"rows":[]})");
}

TEST(RowStream, TellsWhichRowsChangedAndWhoLeft) {
    RowStream rows = stream("a:1 b:2 c:3");
    const SharedFrame frame = rows.publish(reading(8, "d:1 b:2 a:3", 10));
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->kind, FrameKind::kDelta);
    EXPECT_EQ(frame->seq, base::Sequence{8});
    EXPECT_EQ(
        frame->json,
        R"({"view":"b/all/top/10","type":"delta","prev":5,"seq":8,"total":10,"upsert":[1,3],"leave":["c"]})");
    EXPECT_EQ(
        rows.snapshot()->json,
        R"({"view":"b/all/top/10","type":"snapshot","epoch":"k3","seq":8,"total":10,"rows":[1,2,3]})");
}

TEST(RowStream, SaysNothingWhenNoRowDiffers) {
    RowStream rows = stream("a:1 b:2");
    EXPECT_EQ(rows.publish(reading(6, "a:1 b:2", 10)), nullptr) << "the total alone is no change";
    EXPECT_EQ(rows.seq(), base::Sequence{5});
    const SharedFrame frame = rows.publish(reading(7, "a:1", 10));
    ASSERT_NE(frame, nullptr);
    EXPECT_NE(frame->json.find(R"("prev":5,"seq":7)"), std::string::npos)
        << "from what watchers have: " << frame->json;
}

TEST(RowStream, TellsOneStateOfASeq) {
    RowStream rows = stream("a:1");
    EXPECT_EQ(rows.publish(reading(5, "a:2")), nullptr) << "a name that came early";
    EXPECT_FALSE(rows.has_news());
    const SharedFrame frame = rows.publish(reading(6, "a:2"));
    ASSERT_NE(frame, nullptr);
    EXPECT_NE(frame->json.find(R"("prev":5,"seq":6)"), std::string::npos);
}

TEST(RowStream, BeatsOnceForEachReadingThatChangedNothing) {
    RowStream rows = stream("a:1");
    EXPECT_EQ(rows.beat(), nullptr);
    EXPECT_EQ(rows.publish(reading(6, "a:1")), nullptr);
    const SharedFrame beat = rows.beat();
    ASSERT_NE(beat, nullptr);
    EXPECT_EQ(beat->json, R"({"view":"b/all/top/10","type":"beat","seq":6})");
    EXPECT_EQ(rows.beat(), nullptr);
    EXPECT_NE(rows.snapshot()->json.find(R"("seq":6,)"), std::string::npos)
        << "who comes now goes on with the others";
    EXPECT_NE(rows.publish(reading(7, "b:1"))->json.find(R"("prev":6,"seq":7)"), std::string::npos);
}

TEST(RowStream, TellsHowManyPlayersThereAreInPlaceOfABeat) {
    RowStream rows = stream("a:1");
    EXPECT_EQ(rows.publish(reading(6, "a:1", 10)), nullptr);
    EXPECT_EQ(
        rows.beat()->json,
        R"({"view":"b/all/top/10","type":"delta","prev":5,"seq":6,"total":10,"upsert":[],"leave":[]})");
    EXPECT_EQ(rows.beat(), nullptr);
    EXPECT_NE(rows.snapshot()->json.find(R"("seq":6,"total":10)"), std::string::npos);
}

TEST(RowStream, ResumesFromAnySeqThatItTold) {
    RowStream rows = stream("a:1 b:2 c:3");
    static_cast<void>(rows.publish(reading(6, "a:1 b:2 d:3")));
    static_cast<void>(rows.publish(reading(7, "a:1 e:2 d:4")));
    static_cast<void>(rows.publish(reading(9, "a:1 f:2 d:4")));

    const auto from_first = rows.resume({5});
    ASSERT_TRUE(from_first && from_first->frame);
    EXPECT_EQ(
        from_first->frame->json,
        R"({"view":"b/all/top/10","type":"delta","prev":5,"seq":9,"total":9,"upsert":[2,4],"leave":["c","b"]})")
        << "e came and went meanwhile";
    const auto from_last_but_one = rows.resume({7});
    ASSERT_TRUE(from_last_but_one && from_last_but_one->frame);
    EXPECT_NE(from_last_but_one->frame->json.find(R"("upsert":[2],"leave":["e"])"),
              std::string::npos);
    const auto from_present = rows.resume({9});
    ASSERT_TRUE(from_present);
    EXPECT_EQ(from_present->frame, nullptr) << "nothing is missing";
}

TEST(RowStream, DoesNotResumeFromASeqBetweenItsFrames) {
    RowStream rows = stream("a:1");
    static_cast<void>(rows.publish(reading(8, "b:1")));
    EXPECT_FALSE(rows.resume({4}));
    EXPECT_FALSE(rows.resume({6})) << "whoever saw another state at 6 could not be mended";
    EXPECT_FALSE(rows.resume({9}));
    EXPECT_TRUE(rows.resume({5}));
}

TEST(RowStream, ForgetsTheOldestSteps) {
    RowStream rows = stream("a:1");
    for (std::size_t i = 1; i < RowStream::kMaxSteps; ++i) {
        ASSERT_NE(rows.publish(reading(5 + i, i % 2 == 0 ? "a:1" : "a:2")), nullptr);
    }
    EXPECT_TRUE(rows.resume({5}));
    static_cast<void>(rows.publish(reading(5000, "a:3")));
    EXPECT_FALSE(rows.resume({5}));
    EXPECT_TRUE(rows.resume({6}));
}

TEST(RowStream, ForgetsWhoLeftLongAgoWithTheStepsBefore) {
    const auto player = [](std::size_t i) {
        return std::string(1, static_cast<char>('!' + i % 90));
    };
    RowStream rows = stream("~:0");
    std::size_t i = 0;
    for (; i < RowStream::kMaxLeft; ++i) {
        ASSERT_NE(rows.publish(reading(6 + i, player(i) + ":1")), nullptr);
    }
    EXPECT_TRUE(rows.resume({5})) << "as many have left as are remembered";
    static_cast<void>(rows.publish(reading(6 + i, player(i) + ":1")));
    EXPECT_FALSE(rows.resume({5})) << "it is not known any more that ~ has to go";
    EXPECT_TRUE(rows.resume({6}));
}

}  // namespace
}  // namespace standings::live
