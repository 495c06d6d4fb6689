#include "api/target.h"

#include <gtest/gtest.h>

#include "api/api_harness.h"
#include "text/clean_text.h"

namespace standings::api {
namespace {

using base::ErrorCode;

std::vector<std::string> segments(const Target& target) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < target.segment_count(); ++i) all.emplace_back(target.segment(i));
    return all;
}
using Segments = std::vector<std::string>;

TEST(Target, TakesPathAndQueryApart) {
    Target target;
    ASSERT_TRUE(target.parse("/v1/boards/a%2Fb/x?limit=5&around=u%5F1&empty=&flag&q=a+b%20c"));
    EXPECT_EQ(segments(target), (Segments{"v1", "boards", "a/b", "x"}));
    EXPECT_EQ(target.path(), "/v1/boards/a%2Fb/x");
    EXPECT_EQ(target.parameter("limit"), "5");
    EXPECT_EQ(target.parameter("around"), "u_1");
    EXPECT_EQ(target.parameter("empty"), "");
    EXPECT_EQ(target.parameter("flag"), "");
    EXPECT_EQ(target.parameter("q"), "a b c");
    EXPECT_FALSE(target.parameter("none"));
    EXPECT_EQ(target.parameters().size(), 5U);
}

TEST(Target, KeepsEmptySegmentsAndPlus) {
    Target target;
    const auto of = [&](std::string_view text) {
        EXPECT_TRUE(target.parse(text)) << text;
        return segments(target);
    };
    EXPECT_EQ(of("/"), Segments{});
    EXPECT_EQ(of("/a/"), (Segments{"a", ""}));
    EXPECT_EQ(of("//a"), (Segments{"", "a"}));
    EXPECT_EQ(of("/a+b"), Segments{"a+b"}) << "a plus in a path is a plus";
    EXPECT_EQ(of("/a?"), Segments{"a"});
    EXPECT_EQ(of("/a?&&x=1&"), Segments{"a"});
    EXPECT_EQ(target.parameters().size(), 1U);
    EXPECT_EQ(of("/a?x=1?y=2"), Segments{"a"});
    EXPECT_EQ(target.parameter("x"), "1?y=2");
}

TEST(Target, RefusesWhatIsBrokenOrTooMuch) {
    Target target;
    for (const char* bad : {"/%", "/%4", "/%zz", "/%ff", "/%C0%AF", "/a?x=%", "/a?%E2%82=1"}) {
        EXPECT_EQ(target.parse(bad).error().code, ErrorCode::kMalformed) << bad;
    }
    EXPECT_EQ(target.parse("/a?x=1&x=2").error().code, ErrorCode::kInvalid);
    EXPECT_EQ(target.parse("/a?x=1&%78=2").error().code, ErrorCode::kInvalid);
    EXPECT_TRUE(target.parse("/1/2/3/4/5/6/7/8"));
    EXPECT_EQ(target.parse("/1/2/3/4/5/6/7/8/9").error().code, ErrorCode::kRouteNotFound);
    std::string many = "/a?";
    for (int i = 0; i < 32; ++i) many += "p" + std::to_string(i) + "=&";
    EXPECT_TRUE(target.parse(many));
    EXPECT_EQ(target.parse(many + "last=").error().code, ErrorCode::kInvalid);
}

TEST(Target, SurvivesEveryInput) {
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(text::test_seed()));
    const std::vector<std::string> texts = {
        "/v1/boards/a%2Fb/standings?limit=5&around=u%5F1&q=a+b%20c", "/%C3%A9/%ff?x=%e9&y",
        "/1/2/3/4/5/6/7/8/9?a=1&a=2", "?&=&%=%"};
    Target target;
    text::read_whole_cut_and_changed(texts, 3000, [&](std::string_view text) {
        if (!target.parse(text)) return;
        for (const auto& parameter : target.parameters()) {
            ASSERT_EQ(target.parameter(parameter.name), parameter.value);
        }
        ASSERT_LE(target.segment_count(), Target::kMaxSegments);
    });
}

}  // namespace
}  // namespace standings::api
