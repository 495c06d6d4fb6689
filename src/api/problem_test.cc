#include "api/problem.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "text/json_document.h"

namespace standings::api {
namespace {

using base::ErrorCode;

TEST(Problem, HasARowForEveryFailureThatAClientCanMeet) {
    for (int code = 0; code <= static_cast<int>(ErrorCode::kNotReached); ++code) {
        const auto error = static_cast<ErrorCode>(code);
        EXPECT_EQ(problem_kind(error).error, error) << code;
    }
    for (const auto error : {ErrorCode::kIo, ErrorCode::kNoSpace, ErrorCode::kIntegrity}) {
        EXPECT_EQ(problem_kind(error).status, 503);
    }
}

TEST(Problem, GivesEachItsOwnCodeAndWords) {
    std::set<std::string_view> codes;
    std::set<ErrorCode> errors;
    for (const ProblemKind& kind : problem_kinds()) {
        EXPECT_TRUE(codes.insert(kind.code).second) << kind.code;
        EXPECT_TRUE(errors.insert(kind.error).second) << kind.code;
        EXPECT_EQ(find_problem(kind.code), &kind);
        EXPECT_GE(kind.status, 400);
        EXPECT_LT(kind.status, 600);
        EXPECT_FALSE(kind.title.empty());
        EXPECT_TRUE(kind.help.ends_with('.')) << kind.code;
        for (const char c : kind.code) EXPECT_TRUE((c >= 'a' && c <= 'z') || c == '_');
    }
    EXPECT_EQ(find_problem("none"), nullptr);
    EXPECT_EQ(find_problem(""), nullptr);
}

TEST(Problem, IsTheBodyOfRfc9457) {
    std::string body;
    append_problem(body, {ErrorCode::kInvalid, "No.", "/score"}, "/v1/boards", "r1");
    EXPECT_EQ(body,
              "{\"type\":\"/problems/invalid\",\"title\":\"A value is not allowed\",\"status\":422,"
              "\"detail\":\"No.\",\"instance\":\"/v1/boards\",\"code\":\"invalid\","
              "\"request_id\":\"r1\","
              "\"errors\":[{\"pointer\":\"/score\",\"code\":\"invalid\",\"detail\":\"No.\"}]}\n");
}

TEST(Problem, EscapesWhatAClientSent) {
    const std::string nasty = "<script>\"\\\n\x01\x7f</script>é";
    std::string body;
    append_problem(body, {ErrorCode::kInvalid, nasty, "/" + nasty}, "/" + nasty, nasty);
    EXPECT_EQ(body.find('<'), std::string::npos);
    text::JsonDocument document;
    const auto root = document.parse(body);
    ASSERT_TRUE(root) << body;
    EXPECT_EQ(document.member(**root, "detail")->text, nasty);
    EXPECT_EQ(document.member(**root, "instance")->text, "/" + nasty);
    EXPECT_EQ(document.member(**root, "request_id")->text, nasty);
}

TEST(Problem, NamesTheRequestWhereThereIsNoPath) {
    std::string body;
    append_problem(body, {ErrorCode::kMalformed, "No."}, {}, "r1");
    EXPECT_NE(body.find("\"instance\":\"urn:standings:request:r1\""), std::string::npos);
    EXPECT_EQ(body.find("errors"), std::string::npos);
}

}  // namespace
}  // namespace standings::api
