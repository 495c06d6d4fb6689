#include "live/feed_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace standings::live {
namespace {

// Items whose JSON is their seq.
Reading reading(std::uint64_t seq, const std::vector<std::uint64_t>& items,
                std::uint64_t known_since = 0) {
    Reading made;
    made.seq = {seq};
    made.known_since = {known_since};
    for (const std::uint64_t item : items) made.items.push_back({{item}, std::to_string(item)});
    return made;
}

FeedStream stream(Reading first) {
    return FeedStream("b/feed/5", "k3", 5, std::move(first));
}

constexpr const char* kNone = "no frame";

std::string json(const SharedFrame& frame) {
    return frame ? frame->json : kNone;
}

TEST(FeedStream, BeginsWithTheLastItems) {
    FeedStream feed = stream(reading(9, {1, 2, 3, 5, 6, 7, 9}));
    EXPECT_EQ(feed.snapshot()->json,
              R"({"view":"b/feed/5","type":"snapshot","epoch":"k3","seq":9,"items":[3,5,6,7,9]})");
    EXPECT_EQ(feed.snapshot(), feed.snapshot()) << "written once";
    EXPECT_EQ(stream(reading(9, {})).snapshot()->json,
              R"({"view":"b/feed/5","type":"snapshot","epoch":"k3","seq":9,"items":[]})");
}

TEST(FeedStream, TellsEachItemOnce) {
    FeedStream feed = stream(reading(9, {8, 9}));
    EXPECT_EQ(json(feed.publish(reading(12, {8, 9, 10, 12}))),
              R"({"view":"b/feed/5","type":"delta","prev":9,"seq":12,"items":[10,12]})");
    EXPECT_EQ(json(feed.publish(reading(15, {8, 9, 10, 12}))), kNone);
    EXPECT_TRUE(feed.has_news());
    EXPECT_EQ(json(feed.beat()), R"({"view":"b/feed/5","type":"beat","seq":15})");
    EXPECT_FALSE(feed.has_news());
    EXPECT_EQ(json(feed.publish(reading(16, {8, 16}))),
              R"({"view":"b/feed/5","type":"delta","prev":15,"seq":16,"items":[16]})")
        << "what was taken back is not there, and nobody is told";
}

TEST(FeedStream, SaysWhereItemsAreMissing) {
    FeedStream feed = stream(reading(9, {8, 9}));
    EXPECT_EQ(
        json(feed.publish(reading(300, {299, 300}, 298))),
        R"({"view":"b/feed/5","type":"delta","prev":9,"seq":300,"gap":true,"items":[299,300]})");
}

TEST(FeedStream, SaysThatAllWasForgotten) {
    FeedStream feed = stream(reading(9, {8, 9}));
    EXPECT_EQ(json(feed.publish(reading(300, {}, 250))),
              R"({"view":"b/feed/5","type":"delta","prev":9,"seq":300,"gap":true,"items":[]})");
}

TEST(FeedStream, GoesOnFromWhereSomebodyWas) {
    FeedStream feed = stream(reading(20, {12, 15, 18}, 11));
    const auto from = [&](std::uint64_t since) {
        const auto resumed = feed.resume({since});
        return resumed ? json(resumed->frame) : "unknown";
    };
    EXPECT_EQ(from(20), kNone);
    EXPECT_EQ(from(19), R"({"view":"b/feed/5","type":"delta","prev":19,"seq":20,"items":[]})");
    EXPECT_EQ(from(15), R"({"view":"b/feed/5","type":"delta","prev":15,"seq":20,"items":[18]})");
    EXPECT_EQ(from(11),
              R"({"view":"b/feed/5","type":"delta","prev":11,"seq":20,"items":[12,15,18]})");
    EXPECT_EQ(from(10), "unknown");
    EXPECT_EQ(from(21), "unknown");
}

}  // namespace
}  // namespace standings::live
