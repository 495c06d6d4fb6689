#include "api/submission_json.h"

#include <gtest/gtest.h>

#include "api/request_harness.h"

namespace standings::api {
namespace {

using base::ErrorCode;

constexpr base::Instant kNow{1'790'000'000'000};

class SubmissionJson : public ::testing::Test {
  protected:
    base::Result<engine::EntryChange> read(std::string_view text) {
        operation_ = std::make_unique<PlainOperation>(home_, board_);
        const auto root = document_.parse(text);
        if (!root) return root.error();
        return read_submission(document_, **root, {config_, kNow}, *operation_);
    }
    base::Result<engine::EntryChange> put(std::string_view text) {
        operation_ = std::make_unique<PlainOperation>(home_, board_);
        const auto root = document_.parse(text);
        if (!root) return root.error();
        return read_exact_scores(document_, **root, {config_, kNow}, "ann", *operation_);
    }
    std::string pointer_of(std::string_view text) {
        const auto change = read(text);
        EXPECT_FALSE(change) << text;
        if (change) return "taken";
        EXPECT_EQ(change.error().code, ErrorCode::kInvalid) << text;
        return change.error().pointer;
    }
    void two_columns() {
        config_.rules.columns = {{.name = "points"}, {.name = "time", .decimals = 3}};
    }

    NoMailbox home_;
    std::shared_ptr<engine::HostedBoard> board_ = hosted_board();
    ledger::BoardConfig config_;
    text::JsonDocument document_;
    std::unique_ptr<PlainOperation> operation_;
};

TEST_F(SubmissionJson, ReadsPlayerAndScore) {
    const auto change = read(R"({"player":"u_812","score":12e0})");
    ASSERT_TRUE(change);
    EXPECT_EQ(change->kind, ledger::EventKind::kSubmit);
    EXPECT_EQ(change->player, "u_812");
    EXPECT_EQ(change->scores.units[0], 12);
    EXPECT_EQ(change->occurred_at, base::kNever);
    EXPECT_FALSE(change->name);
    EXPECT_FALSE(change->meta);
}

TEST_F(SubmissionJson, ReadsEveryMember) {
    two_columns();
    const auto change = read(
        R"({"name":"Ays\u0327e","scores":{"time":83.4560,"points":-0},"meta":{ "car" : "gt3", "n":[1.50] },)"
        R"("occurred_at":"2026-09-21T02:15:00+02:00","player":"u@x"})");
    ASSERT_TRUE(change) << change.error().detail << change.error().pointer;
    EXPECT_EQ(change->scores.units[0], 0);
    EXPECT_EQ(change->scores.units[1], 83456);
    EXPECT_EQ(change->name, "Ayşe") << "composed";
    EXPECT_EQ(change->meta, R"({"car":"gt3","n":[1.50]})") << "compact, numbers as they came";
    EXPECT_EQ(change->occurred_at, base::parse_rfc3339("2026-09-21T00:15:00Z"));
}

TEST_F(SubmissionJson, TakesNameAndMetaAwayWithNull) {
    const auto change = read(R"({"player":"a","score":1,"name":null,"meta":null})");
    ASSERT_TRUE(change);
    EXPECT_EQ(change->name, "");
    EXPECT_EQ(change->meta, "");
}

TEST_F(SubmissionJson, KeepsItsTextsWhenTheDocumentIsGone) {
    engine::EntryChange change;
    {
        std::string text = R"({"player":"a-player","score":1,"name":"N\u00e9","meta":{"k":"v"}})";
        change = *read(text);
        text.assign(text.size(), '#');
        static_cast<void>(document_.parse("[]"));
    }
    EXPECT_EQ(change.player, "a-player");
    EXPECT_EQ(change.name, "Né");
    EXPECT_EQ(change.meta, R"({"k":"v"})");
}

TEST_F(SubmissionJson, PointsAtWhatIsWrong) {
    EXPECT_EQ(pointer_of("7"), "");
    EXPECT_EQ(pointer_of("[]"), "");
    EXPECT_EQ(pointer_of(R"({"score":1})"), "/player");
    EXPECT_EQ(pointer_of(R"({"player":7,"score":1})"), "/player");
    EXPECT_EQ(pointer_of(R"({"player":"a b","score":1})"), "/player");
    EXPECT_EQ(pointer_of(R"({"player":"a"})"), "/score");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":"1"})"), "/score");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":null})"), "/score");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":0.5})"), "/score");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":9007199254740992})"), "/score");
    EXPECT_EQ(pointer_of(R"({"player":"a","scores":{"score":1}})"), "/scores");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1,"name":7})"), "/name");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1,"name":""})"), "/name");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1,"name":"a\u202eb"})"), "/name");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1,"name":")" + std::string(65, 'x') + "\"}"),
              "/name");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1,"meta":"x"})"), "/meta");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1,"occurred_at":5})"), "/occurred_at");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1,"occurred_at":"2026-02-30T00:00:00Z"})"),
              "/occurred_at");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1,"extra":1})"), "/extra");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1,"a/b":1})"), "/a~1b");
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1,"segment":{"region":"eu"}})"), "/segment")
        << "what is not built yet is refused, never dropped";
    two_columns();
    EXPECT_EQ(pointer_of(R"({"player":"a","score":1})"), "/score");
    EXPECT_EQ(pointer_of(R"({"player":"a","scores":7})"), "/scores");
    EXPECT_EQ(pointer_of(R"({"player":"a","scores":{"points":1}})"), "/scores/time");
    EXPECT_EQ(pointer_of(R"({"player":"a","scores":{"points":1.5,"time":1}})"), "/scores/points");
    EXPECT_EQ(pointer_of(R"({"player":"a","scores":{"points":1,"time":1,"x":1}})"), "/scores/x");
}

TEST_F(SubmissionJson, TakesMetaUpToTwoKilobytes) {
    const auto with_meta = [&](std::size_t size) {
        return read(R"({"player":"a","score":1,"meta":{"k":")" + std::string(size - 8, 'x') +
                    "\"}}");
    };
    EXPECT_TRUE(with_meta(2048));
    EXPECT_EQ(with_meta(2049).error().pointer, "/meta");
}

TEST_F(SubmissionJson, TakesTimesUpToFiveMinutesAhead) {
    const auto at = [&](std::int64_t ms) {
        return read(R"({"player":"a","score":1,"occurred_at":")" + base::rfc3339({kNow.ms + ms}) +
                    "\"}");
    };
    EXPECT_TRUE(at(5 * 60'000));
    EXPECT_EQ(at(5 * 60'000 + 1).error().pointer, "/occurred_at");
    EXPECT_TRUE(at(-50LL * 365 * 86'400'000)) << "the past has no limit";
}

TEST_F(SubmissionJson, ReadsExactScoresWithoutAPlayer) {
    const auto change = put(R"({"score":5,"name":"Ann"})");
    ASSERT_TRUE(change);
    EXPECT_EQ(change->kind, ledger::EventKind::kSet);
    EXPECT_EQ(change->player, "ann");
    EXPECT_EQ(put(R"({"player":"ann","score":5})").error().pointer, "/player");
    EXPECT_EQ(put("[]").error().pointer, "");
}

TEST_F(SubmissionJson, SurvivesEveryInput) {
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(text::test_seed()));
    const std::vector<std::string> texts = {
        R"({"player":"u_812","name":"Ays\u0327e","score":83,"meta":{"car":"gt3"},"occurred_at":"2026-09-21T00:15:00.5Z"})",
        R"({"player":"a","scores":{"points":1,"time":1.25}})", R"({"score":1e2,"name":null})"};
    for (int columns = 0; columns < 2; ++columns) {
        if (columns == 1) two_columns();
        text::read_whole_cut_and_changed(texts, 1500, [&](std::string_view text) {
            submission_comes_back(text, config_);
            static_cast<void>(put(text));
        });
    }
}

}  // namespace
}  // namespace standings::api
