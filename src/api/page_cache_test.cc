#include "api/page_cache.h"

#include <gtest/gtest.h>

#include "api/api_harness.h"
#include "api/call.h"

namespace standings::api {
namespace {

PageCache::Answer answer(const std::shared_ptr<engine::HostedBoard>& board, std::string body) {
    return {board, board->seq(), "e", "", std::move(body)};
}

TEST(PageCache, AnswersUntilTheBoardMoves) {
    PageCache cache;
    const auto board = hosted_board();
    EXPECT_EQ(cache.find("/x"), nullptr);
    cache.put("/x", answer(board, "one"));
    ASSERT_NE(cache.find("/x"), nullptr);
    EXPECT_EQ(cache.find("/x")->body, "one");
    EXPECT_EQ(cache.find("/y"), nullptr);
    board->write([](ledger::BoardRecord& record, ranking::Board&) { record.seq = {8}; });
    EXPECT_EQ(cache.find("/x"), nullptr);
    cache.put("/x", answer(board, "two"));
    EXPECT_EQ(cache.find("/x")->body, "two");
    board->mark_deleted();
    EXPECT_EQ(cache.find("/x"), nullptr);
}

TEST(PageCache, KeepsABoundedNumberOfBoundedAnswers) {
    PageCache cache;
    const auto board = hosted_board();
    cache.put("/big", answer(board, std::string(64 * 1024 + 1, 'x')));
    EXPECT_EQ(cache.find("/big"), nullptr);
    int kept = 0;
    for (int i = 0; i < 1000; ++i) cache.put("/" + std::to_string(i), answer(board, "b"));
    for (int i = 0; i < 1000; ++i) kept += cache.find("/" + std::to_string(i)) != nullptr ? 1 : 0;
    EXPECT_LE(kept, 64);
    EXPECT_NE(cache.find("/999"), nullptr);
}

TEST(Etag, DiffersByEpochSeqAndView) {
    const auto tag = [](std::string_view epoch, std::uint64_t seq, std::string_view view) {
        std::string out;
        append_etag(out, epoch, {seq}, view_id(view));
        return out;
    };
    const std::string one = tag("k1", 5, "/a");
    EXPECT_TRUE(one.starts_with("W/\"k1-5-"));
    EXPECT_EQ(one, tag("k1", 5, "/a"));
    for (const auto& other : {tag("k2", 5, "/a"), tag("k1", 6, "/a"), tag("k1", 5, "/b")}) {
        EXPECT_NE(one, other);
        EXPECT_FALSE(etag_matches(other, one));
    }
    EXPECT_TRUE(etag_matches(one, one));
    EXPECT_TRUE(etag_matches("*", one));
    EXPECT_TRUE(etag_matches("\"x\", " + one + " ,\"y\"", one));
    EXPECT_TRUE(etag_matches(one.substr(2), one)) << "weak comparison";
    EXPECT_FALSE(etag_matches("", one));
    EXPECT_FALSE(etag_matches(",,", one));
}

TEST(BodyKind, IsTheMediaTypeWithoutItsParameters) {
    const auto kind = [](std::string_view type) {
        net::Request request;
        request.content_type = type;
        return body_kind(request);
    };
    EXPECT_EQ(kind(""), BodyKind::kNone);
    EXPECT_EQ(kind("application/json"), BodyKind::kJson);
    EXPECT_EQ(kind("Application/JSON; charset=utf-8"), BodyKind::kJson);
    EXPECT_EQ(kind("application/merge-patch+json"), BodyKind::kJson);
    EXPECT_EQ(kind("application/x-ndjson"), BodyKind::kNdjson);
    EXPECT_EQ(kind("application/x-NDJSON ;x"), BodyKind::kNdjson);
    EXPECT_EQ(kind("text/plain"), BodyKind::kOther);
    EXPECT_EQ(kind("application/jsonp"), BodyKind::kOther);
    EXPECT_EQ(kind(";"), BodyKind::kNone);
}

}  // namespace
}  // namespace standings::api
