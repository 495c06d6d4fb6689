#include "live/hub.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace standings::live {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

// Boards whose views all have one row, which says the board's score.
class Boards final : public ViewReader {
  public:
    struct State {
        BoardLook look;
        int score = 0;
    };

    std::map<std::string, State, std::less<>> boards;
    bool names_are_late = false;
    int reads = 0;

    // An event that changes the rows, or only the seq.
    void move(const std::string& board, int score_change = 1) {
        ++boards[board].look.seq.value;
        boards[board].score += score_change;
    }

    std::optional<BoardLook> look(std::string_view board) override {
        const auto found = boards.find(board);
        if (found == boards.end()) return std::nullopt;
        return found->second.look;
    }

    Answer read(const View& view, Reading& reading) override {
        ++reads;
        const auto found = boards.find(view.board);
        if (found == boards.end()) return Answer::kNoBoard;
        if (names_are_late) return Answer::kLater;
        reading = {found->second.look.seq, 1, {{"p", std::to_string(found->second.score)}}};
        return Answer::kRead;
    }
};

// What each loop was told, as lines.
class Listener final : public Audience {
  public:
    std::vector<std::string> heard;
    StreamId stream;
    base::Monotonic last_changed_at{};

    std::vector<std::string> take() { return std::exchange(heard, {}); }

    bool is_ready(LoopIndex) override { return ready; }
    bool ready = true;

    void welcome(LoopIndex loop, WatcherId watcher, const Welcome& welcome) override {
        stream = welcome.stream;
        say(loop, "welcome " + std::to_string(watcher.value) +
                      (welcome.recovered         ? " recovered"
                       : welcome.wanted_recovery ? " not recovered"
                                                 : "") +
                      " " + (welcome.frame ? text(*welcome.frame) : "up to date"));
    }
    void refuse(LoopIndex loop, WatcherId watcher, Refusal why) override {
        say(loop, "refuse " + std::to_string(watcher.value) +
                      (why == Refusal::kNoBoard ? " no board" : " too many"));
    }
    void catch_up(LoopIndex loop, WatcherId watcher, const SharedFrame& snapshot) override {
        say(loop, "catch up " + std::to_string(watcher.value) + " " + text(*snapshot));
    }
    void publish(LoopIndex loop, StreamId, const SharedFrame& frame,
                 base::Monotonic changed_at) override {
        last_changed_at = changed_at;
        say(loop, text(*frame));
    }
    void announce(LoopIndex loop, std::string_view, std::string_view json) override {
        say(loop, std::string(json));
    }
    void end(LoopIndex loop, StreamId) override { say(loop, "end"); }

  private:
    static std::string text(const Frame& frame) {
        const char* const kind = frame.kind == FrameKind::kSnapshot ? "snapshot"
                                 : frame.kind == FrameKind::kDelta  ? "delta"
                                                                    : "beat";
        return kind + (" " + std::to_string(frame.seq.value));
    }
    void say(LoopIndex loop, const std::string& what) {
        heard.push_back(std::to_string(loop) + ": " + what);
    }
};

class HubTest : public testing::Test {
  protected:
    HubTest() { boards_.boards["b"] = {.look = {.seq = {7}, .ranking = {1}}}; }

    Hub make(Hub::Limits limits = {}) { return Hub(boards_, listener_, "k3", limits); }

    // Top ten of "b", watched from loop 0.
    static Watch watch(std::uint64_t watcher, std::uint32_t rate = kUsualRate) {
        return {
            .loop = 0, .watcher = {watcher}, .view = {ViewKind::kTop, "b", "", 10}, .rate = rate};
    }
    static Watch since(std::uint64_t watcher, std::uint64_t seq) {
        Watch made = watch(watcher);
        made.since = base::Sequence{seq};
        return made;
    }

    Boards boards_;
    Listener listener_;
    base::Monotonic now_ = seconds(100);
};

TEST_F(HubTest, AWatcherGetsASnapshotAndThenWhatChanges) {
    Hub hub = make();
    hub.join(watch(1), now_);
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 1 snapshot 7"}));
    EXPECT_EQ(hub.next_tick(), std::nullopt) << "nothing moves";
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(), Lines{});
    boards_.move("b");
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(), (Lines{"0: delta 8"}));
}

TEST_F(HubTest, ChangesInBetweenAreFoldedTogether) {
    Hub hub = make();
    hub.join(watch(1, 10), now_);
    listener_.take();
    boards_.move("b");
    hub.tick(now_ += milliseconds(100));
    EXPECT_EQ(listener_.take(), (Lines{"0: delta 8"}));
    for (int i = 0; i < 9; ++i) {
        boards_.move("b");
        hub.tick(now_ += milliseconds(10));
    }
    EXPECT_EQ(listener_.take(), Lines{}) << "ten frames a second";
    ASSERT_EQ(hub.next_tick(), now_ + milliseconds(10));
    hub.tick(now_ += milliseconds(10));
    EXPECT_EQ(listener_.take(), (Lines{"0: delta 17"}));
}

TEST_F(HubTest, AFrameSaysSinceWhenThereWasSomethingToTell) {
    Hub hub = make();
    hub.join(watch(1, 10), now_);
    boards_.move("b");
    const base::Monotonic moved_at = now_ + milliseconds(5);
    hub.tick(now_ + milliseconds(20), moved_at);
    boards_.move("b");
    hub.tick(now_ + milliseconds(40), now_ + milliseconds(30));
    hub.tick(now_ + milliseconds(100));
    EXPECT_EQ(listener_.take().back(), "0: delta 9");
    EXPECT_EQ(listener_.last_changed_at, moved_at) << "the first of what was folded together";
}

TEST_F(HubTest, EachRateHasAPaceOfItsOwn) {
    Hub hub = make();
    hub.join(watch(1, 1), now_);
    hub.join(watch(2, 20), now_);
    listener_.take();
    for (int i = 0; i < 20; ++i) {
        boards_.move("b");
        hub.tick(now_ += milliseconds(50));
    }
    EXPECT_EQ(listener_.take().size(), 20U + 1U);
    EXPECT_EQ(hub.streams(), 2U);
}

TEST_F(HubTest, AViewIsReadOnceForAllItsWatchers) {
    Hub hub = make();
    for (std::uint64_t i = 0; i < 50; ++i) hub.join(watch(i), now_);
    EXPECT_EQ(boards_.reads, 1);
    EXPECT_EQ(hub.watchers(), 50U);
    listener_.take();
    boards_.move("b");
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(boards_.reads, 2);
    EXPECT_EQ(listener_.take(), (Lines{"0: delta 8"})) << "once a loop";
    for (int i = 0; i < 50; ++i) hub.tick(now_ += seconds(1));
    EXPECT_EQ(boards_.reads, 2) << "its board stands still";
}

TEST_F(HubTest, OnlyLoopsWithWatchersAreTold) {
    Hub hub = make();
    Watch second = watch(1);
    second.loop = 2;
    hub.join(second, now_);
    listener_.take();
    boards_.move("b");
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(), (Lines{"2: delta 8"}));
}

TEST_F(HubTest, AViewThatStandsStillOnAMovingBoardBeats) {
    Hub hub = make();
    hub.join(watch(1), now_);
    listener_.take();
    boards_.move("b", 0);
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(), Lines{});
    ASSERT_EQ(hub.next_tick(), now_ + seconds(1)) << "two since the snapshot";
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(), (Lines{"0: beat 8"}));
    EXPECT_EQ(hub.next_tick(), std::nullopt);
    boards_.move("b");
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(), (Lines{"0: delta 9"}));
}

TEST_F(HubTest, WhoComesBackGoesOnWhereItWas) {
    Hub hub = make();
    hub.join(watch(1), now_);
    boards_.move("b");
    hub.tick(now_ += seconds(1));
    listener_.take();
    hub.join(since(2, 7), now_);
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 2 recovered delta 8"}));
    hub.join(since(3, 8), now_);
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 3 recovered up to date"}));
    hub.join(since(4, 3), now_);
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 4 not recovered snapshot 8"}));
}

TEST_F(HubTest, WhoWasAloneIsResumedForAWhile) {
    Hub hub = make({.idle_for = seconds(60)});
    hub.join(watch(1), now_);
    hub.leave(0, listener_.stream, now_);
    EXPECT_EQ(hub.watchers(), 0U);
    boards_.move("b");
    hub.tick(now_ += seconds(30));
    EXPECT_EQ(boards_.reads, 1) << "for nobody";
    listener_.take();
    hub.join(since(2, 7), now_);
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 2 recovered delta 8"}));

    hub.leave(0, listener_.stream, now_);
    ASSERT_EQ(hub.next_tick(), now_ + seconds(60));
    hub.tick(now_ += seconds(60));
    EXPECT_EQ(hub.streams(), 0U);
    EXPECT_EQ(hub.next_tick(), std::nullopt);
    listener_.take();
    boards_.move("b");
    hub.join(since(3, 8), now_);
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 3 not recovered snapshot 9"}));
}

TEST_F(HubTest, WhoComesToAViewThatNobodyWatchedHasItAsOfNow) {
    const auto hears = [&](const Watch& who) {
        Hub hub = make();
        hub.join(watch(1), now_);
        hub.leave(0, listener_.stream, now_);
        boards_.move("b", 0);
        hub.tick(now_ += seconds(1));
        listener_.take();
        hub.join(who, now_ += seconds(1));
        return listener_.take();
    };
    EXPECT_EQ(hears(watch(2)), (Lines{"0: welcome 2 snapshot 8"}));
    EXPECT_EQ(hears(since(2, 8)), (Lines{"0: welcome 2 recovered delta 9"}));
}

TEST_F(HubTest, NobodyIsSentBackBehindWhatItHasRead) {
    Hub hub = make();
    hub.join(watch(1), now_);
    listener_.take();
    boards_.move("b");
    hub.join(since(2, 8), now_ += milliseconds(1));
    EXPECT_EQ(listener_.take(), Lines{}) << "the others' rate holds";
    ASSERT_TRUE(hub.next_tick());
    hub.tick(now_ = *hub.next_tick());
    EXPECT_EQ(listener_.take(), (Lines{"0: delta 8", "0: welcome 2 recovered up to date"}));
}

TEST_F(HubTest, NamesThatAreLateAreWaitedFor) {
    Hub hub = make();
    boards_.names_are_late = true;
    hub.join(watch(1), now_);
    hub.join(watch(2), now_);
    EXPECT_EQ(listener_.take(), Lines{});
    ASSERT_TRUE(hub.next_tick());
    boards_.names_are_late = false;
    hub.tick(now_ = *hub.next_tick());
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 1 snapshot 7", "0: welcome 2 snapshot 7"}));
}

TEST_F(HubTest, NamesThatHaveComeAreTakenAtOnce) {
    Hub hub = make();
    boards_.names_are_late = true;
    hub.join(watch(1), now_);
    boards_.names_are_late = false;
    hub.retry(now_ + milliseconds(1));
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 1 snapshot 7"}));
}

TEST_F(HubTest, ALoopThatIsBusyGetsFewerFrames) {
    Hub hub = make();
    hub.join(watch(1), now_);
    listener_.take();
    listener_.ready = false;
    for (int i = 0; i < 3; ++i) {
        boards_.move("b");
        hub.tick(now_ += seconds(1));
    }
    EXPECT_EQ(listener_.take(), Lines{});
    listener_.ready = true;
    ASSERT_TRUE(hub.next_tick());
    hub.tick(now_ = *hub.next_tick());
    EXPECT_EQ(listener_.take(), (Lines{"0: delta 10"}));
}

TEST_F(HubTest, WhoHasSeenAsMuchElsewhereGoesOnFromThere) {
    Hub hub = make();
    hub.join(watch(1), now_);
    listener_.take();
    boards_.move("b", 0);
    hub.join(since(2, 8), now_ += seconds(1));
    EXPECT_EQ(listener_.take(), (Lines{"0: beat 8", "0: welcome 2 recovered up to date"}));
}

TEST_F(HubTest, ABoardThatHasBecomePrivateLetsNobodyInWhoMayNot) {
    Hub hub = make();
    boards_.boards["b"].look.is_public = false;
    hub.join(watch(1), now_);
    EXPECT_EQ(listener_.take(), (Lines{"0: refuse 1 no board"}));
    Watch allowed = watch(2);
    allowed.may_read_private = true;
    hub.join(allowed, now_);
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 2 snapshot 7"}));
}

TEST_F(HubTest, ASlowWatcherGetsThePresentRows) {
    Hub hub = make();
    hub.join(watch(1), now_);
    boards_.move("b");
    hub.tick(now_ += seconds(1));
    listener_.take();
    hub.resync(0, {1}, listener_.stream);
    EXPECT_EQ(listener_.take(), (Lines{"0: catch up 1 snapshot 8"}));
    hub.resync(0, {1}, {999});
    EXPECT_EQ(listener_.take(), Lines{});
}

TEST_F(HubTest, ALeadThatChangesAllTheTimeIsToldTwiceASecond) {
    Hub hub = make();
    hub.join(watch(1), now_);
    std::vector<std::string> leaders;
    const auto step = [&](const std::string& leader) {
        boards_.boards["b"].look.leader = leader;
        boards_.move("b", 0);
        hub.tick(now_ += milliseconds(100));
        for (const std::string& line : listener_.take()) {
            if (line.find("leader") != std::string::npos)
                leaders.push_back(line.substr(line.size() - 3, 1));
        }
    };
    for (const char* leader : {"a", "b", "c", "b", "c", "d", "e", "a", "b"}) step(leader);
    EXPECT_EQ(leaders, (std::vector<std::string>{"a", "d"})) << "each when it is due";
    hub.tick(now_ += milliseconds(200));  // the board stands still
    EXPECT_EQ(listener_.take().front(),
              R"(0: {"type":"event","board":"b","kind":"leader","player":"b"})")
        << "the last one is told in the end";
}

TEST_F(HubTest, WatchersOfABoardHearWhatHappensToIt) {
    Hub hub = make();
    hub.join(watch(1), now_);
    hub.join(watch(2), now_);
    listener_.take();
    auto& look = boards_.boards["b"].look;
    look.leader = "u_9";
    boards_.move("b");
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(
        listener_.take(),
        (Lines{R"(0: {"type":"event","board":"b","kind":"leader","player":"u_9"})", "0: delta 8"}));
    look.is_open = false;
    boards_.move("b", 0);
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(), (Lines{R"(0: {"type":"event","board":"b","kind":"frozen"})"}));
    look.is_open = true;
    look.leader.reset();
    look.ranking = {2};
    boards_.move("b");
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(),
              (Lines{R"(0: {"type":"event","board":"b","kind":"reset"})",
                     R"(0: {"type":"event","board":"b","kind":"unfrozen"})", "0: delta 10"}));
}

TEST_F(HubTest, ABoardThatGoesEndsItsStreams) {
    Hub hub = make();
    hub.join(watch(1), now_);
    listener_.take();
    const StreamId gone = listener_.stream;
    boards_.boards.clear();
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(), (Lines{"0: end"}));
    EXPECT_EQ(hub.streams(), 0U);
    EXPECT_EQ(hub.watchers(), 0U);
    hub.leave(0, gone, now_);
    hub.join(watch(2), now_);
    EXPECT_EQ(listener_.take(), (Lines{"0: refuse 2 no board"}));
    EXPECT_EQ(hub.streams(), 0U);
}

TEST_F(HubTest, ABoardThatBecomesPrivateEndsItsStreams) {
    Hub hub = make();
    hub.join(watch(1), now_);
    listener_.take();
    boards_.boards["b"].look.is_public = false;
    boards_.move("b");
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(), (Lines{"0: end"}));
    Watch allowed = watch(2);
    allowed.may_read_private = true;
    hub.join(allowed, now_);
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 2 snapshot 8"})) << "one who may";
}

TEST_F(HubTest, ABoardThatGoesWhileItsNamesAreReadRefusesWhoWaited) {
    Hub hub = make();
    boards_.names_are_late = true;
    hub.join(watch(1), now_);
    boards_.boards.clear();
    hub.tick(now_ += seconds(1));
    EXPECT_EQ(listener_.take(), (Lines{"0: refuse 1 no board"}));
    EXPECT_EQ(hub.streams(), 0U);
}

TEST_F(HubTest, StreamsAreBounded) {
    Hub hub = make({.max_streams = 2});
    for (std::uint64_t i = 0; i < 3; ++i) {
        Watch made = watch(i);
        made.view = {ViewKind::kPlayer, "b", "u_" + std::to_string(i)};
        hub.join(made, now_);
    }
    EXPECT_EQ(listener_.take(), (Lines{"0: welcome 0 snapshot 7", "0: welcome 1 snapshot 7",
                                       "0: refuse 2 too many"}));
}

TEST_F(HubTest, ViewsThatNobodyWatchesAreBounded) {
    Hub hub = make({.max_idle_streams = 3});
    for (std::uint64_t i = 0; i < 10; ++i) {
        Watch made = watch(i);
        made.view = {ViewKind::kPlayer, "b", "u_" + std::to_string(i)};
        hub.join(made, now_);
        hub.leave(0, listener_.stream, now_);
    }
    EXPECT_EQ(hub.streams(), 3U);
}

}  // namespace
}  // namespace standings::live
