#include "jobs/job_list.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace standings::jobs {
namespace {

Job ended(const JobList& jobs, const std::string& id) {
    while (true) {
        const auto job = jobs.find(id);
        if (job->state != JobState::kRunning) return *job;
        std::this_thread::yield();
    }
}

class Jobs : public ::testing::Test {
  protected:
    // Runs until it is told to end.
    Work waiting() {
        return [this](JobControl& control) -> base::Result<std::string> {
            control.report(1, 2);
            while (!release_ && !control.cancelled()) std::this_thread::yield();
            if (control.cancelled()) return base::Error{base::ErrorCode::kCancelled, "ended"};
            return std::string("made");
        };
    }

    base::SystemClock clock_;
    std::atomic<bool> release_{false};
    JobList jobs_{clock_};
};

TEST_F(Jobs, KeepsWhatAJobMade) {
    const Job begun = jobs_.start("backup", "bytes", waiting()).value().job;
    EXPECT_EQ(begun.state, JobState::kRunning);
    release_ = true;
    const Job job = ended(jobs_, begun.id);
    EXPECT_EQ(job.state, JobState::kDone);
    EXPECT_EQ(job.result, "made");
    EXPECT_EQ(job.done, 1U);
    EXPECT_EQ(job.total, 2U);
    EXPECT_GE(job.ended_at, job.started_at);
}

TEST_F(Jobs, RunsOneAtATime) {
    const Job first = jobs_.start("backup", "bytes", waiting()).value().job;
    const auto second = jobs_.start("backup", "bytes", waiting());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, base::ErrorCode::kJobRunning);
    EXPECT_NE(second.error().detail.find(first.id), std::string::npos);
}

TEST_F(Jobs, AnswersARequestThatIsSentAgainWithItsJob) {
    const engine::RequestKey key{{1, 2}, 3};
    const Job first = jobs_.start("backup", "bytes", waiting(), key).value().job;
    auto again = jobs_.start("backup", "bytes", waiting(), key).value();
    EXPECT_TRUE(again.replayed);
    EXPECT_EQ(again.job.id, first.id);
    EXPECT_EQ(jobs_.start("backup", "bytes", waiting(), engine::RequestKey{{1, 2}, 4}).error().code,
              base::ErrorCode::kIdempotencyMismatch);
    release_ = true;
    ended(jobs_, first.id);
    again = jobs_.start("backup", "bytes", waiting(), key).value();
    EXPECT_EQ(again.job.state, JobState::kDone);
    EXPECT_EQ(jobs_.list().size(), 1U);

    const auto other = jobs_.start("backup", "bytes", waiting(), engine::RequestKey{{5, 6}, 3});
    EXPECT_FALSE(other.value().replayed);
    ended(jobs_, other.value().job.id);
    // As long as the job is kept, and no longer.
    for (std::size_t n = 1; n < JobList::kKept; ++n) {
        ended(jobs_, jobs_.start("backup", "bytes", waiting()).value().job.id);
    }
    EXPECT_FALSE(jobs_.start("backup", "bytes", waiting(), key).value().replayed);
}

TEST_F(Jobs, ARefusedRequestMayBeSentAgainWithItsKey) {
    const Job first = jobs_.start("backup", "bytes", waiting()).value().job;
    const engine::RequestKey key{{1, 2}, 3};
    EXPECT_EQ(jobs_.start("backup", "bytes", waiting(), key).error().code,
              base::ErrorCode::kJobRunning);
    release_ = true;
    ended(jobs_, first.id);
    EXPECT_FALSE(jobs_.start("backup", "bytes", waiting(), key).value().replayed);
}

TEST_F(Jobs, CancelsWhatRunsAndLeavesWhatHasEnded) {
    const Job job = jobs_.start("backup", "bytes", waiting()).value().job;
    EXPECT_TRUE(jobs_.cancel(job.id));
    EXPECT_EQ(ended(jobs_, job.id).state, JobState::kCancelled);
    EXPECT_EQ(jobs_.cancel(job.id)->state, JobState::kCancelled);
    EXPECT_FALSE(jobs_.cancel("j77"));
}

TEST_F(Jobs, WhoeverWaitsIsToldThatItIsCancelled) {
    const auto wait = [](JobControl& control) -> base::Result<std::string> {
        if (!control.wait(std::chrono::milliseconds(1))) return std::string("not even a moment");
        control.report(1, 1);
        if (control.wait(std::chrono::hours(1))) return std::string("a whole hour");
        return base::Error{base::ErrorCode::kCancelled, "ended"};
    };
    const Job job = jobs_.start("backup", "bytes", wait).value().job;
    while (jobs_.find(job.id)->done == 0) std::this_thread::yield();
    jobs_.cancel(job.id);
    EXPECT_EQ(ended(jobs_, job.id).detail, "ended");
}

TEST_F(Jobs, SaysWhyAJobFailed) {
    const auto fail = [](JobControl&) -> base::Result<std::string> {
        return base::Error{base::ErrorCode::kNoSpace, "the disk is full"};
    };
    const Job job = ended(jobs_, jobs_.start("backup", "bytes", fail).value().job.id);
    EXPECT_EQ(job.state, JobState::kFailed);
    EXPECT_EQ(job.detail, "the disk is full");
}

TEST_F(Jobs, ForgetsAllButTheLastHundred) {
    release_ = true;
    std::string last;
    for (std::size_t i = 0; i < JobList::kKept + 5; ++i) {
        last = jobs_.start("backup", "bytes", waiting()).value().job.id;
        ended(jobs_, last);
    }
    const auto all = jobs_.list();
    EXPECT_EQ(all.size(), JobList::kKept);
    EXPECT_EQ(all.front().id, last);
    EXPECT_FALSE(jobs_.find("j1"));
}

TEST_F(Jobs, StopEndsWhatRunsAndTakesNoMore) {
    const Job job = jobs_.start("backup", "bytes", waiting()).value().job;
    jobs_.stop();
    EXPECT_EQ(jobs_.find(job.id)->state, JobState::kCancelled);
    EXPECT_EQ(jobs_.start("backup", "bytes", waiting()).error().code, base::ErrorCode::kDraining);
}

}  // namespace
}  // namespace standings::jobs
