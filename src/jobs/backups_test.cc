#include "jobs/backups.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "ledger/memory/memory_ledger.h"
#include "ledger/sqlite/data_folder.h"
#include "ledger/sqlite/sqlite_ledger.h"

namespace standings::jobs {
namespace {

class MadeBackups : public ::testing::Test {
  protected:
    void open(std::unique_ptr<ledger::Ledger> ledger, BackupOptions options = {}) {
        engine_ = engine::Engine::start(std::move(ledger), clock_, {}).value();
        jobs_ = std::make_unique<JobList>(clock_);
        options.folder = (data_.path() / "backups").string();
        backups_ = Backups::open(*engine_, *jobs_, options, "1.0").value();
    }
    std::unique_ptr<ledger::Ledger> file_ledger() {
        return ledger::SqliteLedger::open({.folder = data_.path(), .reserve_bytes = 0}).value();
    }
    Job ended(const std::string& id) {
        while (jobs_->find(id)->state == JobState::kRunning) std::this_thread::yield();
        return *jobs_->find(id);
    }
    void TearDown() override {
        if (backups_) backups_->stop();
        if (jobs_) jobs_->stop();
        if (engine_) engine_->stop();
    }

    base::SystemClock clock_;
    ledger::DataFolder data_;
    std::unique_ptr<engine::Engine> engine_;
    std::unique_ptr<JobList> jobs_;
    std::unique_ptr<Backups> backups_;
};

TEST_F(MadeBackups, AreWholeFilesWithAManifest) {
    open(file_ledger());
    const Job job = ended(backups_->start().value().job.id);
    ASSERT_EQ(job.state, JobState::kDone) << job.detail;
    const auto all = backups_->folder().list();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].name, job.result);
    EXPECT_EQ(all[0].facts.epoch, engine_->epoch());
    EXPECT_EQ(all[0].bytes, std::filesystem::file_size(backups_->folder().file(job.result)));
    EXPECT_EQ(backups_->statistics().made, 1U);
    EXPECT_EQ(backups_->statistics().last_bytes, all[0].bytes);
}

TEST_F(MadeBackups, ComeByThemselvesOnASchedule) {
    open(file_ledger(), {.every = std::chrono::hours(1)});
    // Due at once, since there is none yet.
    while (backups_->statistics().made == 0) std::this_thread::yield();
    EXPECT_EQ(backups_->folder().list().size(), 1U);
}

TEST_F(MadeBackups, AreNotDueWhileTheNewestIsYoung) {
    open(file_ledger());
    ended(backups_->start().value().job.id);
    backups_->stop();
    const auto again = Backups::open(
        *engine_, *jobs_,
        {.every = std::chrono::hours(1), .folder = (data_.path() / "backups").string()}, "1.0");
    ASSERT_TRUE(again);
    EXPECT_GT((*again)->statistics().last_at_ms, 0);
    (*again)->stop();
    EXPECT_EQ(jobs_->list().size(), 1U);
}

TEST_F(MadeBackups, AreTriedAgainSoonAfterAFailure) {
    // In memory none succeeds.
    open(ledger::MemoryLedger::open(),
         {.every = std::chrono::hours(1), .retry_after = std::chrono::milliseconds(1)});
    while (backups_->statistics().failed < 4) std::this_thread::yield();
    EXPECT_EQ(backups_->statistics().made, 0U);
}

TEST_F(MadeBackups, EndInTheMiddleWhenTheyAreCancelled) {
    open(file_ledger());
    const std::string id = backups_->start().value().job.id;
    jobs_->cancel(id);
    // Wherever it was; it may have been faster.
    const Job job = ended(id);
    EXPECT_TRUE(job.state == JobState::kCancelled || job.state == JobState::kDone) << job.detail;
    EXPECT_EQ(backups_->folder().list().size(), backups_->statistics().made.load());
}

TEST_F(MadeBackups, OfAServerInMemoryFailWithASentence) {
    open(ledger::MemoryLedger::open());
    const Job job = ended(backups_->start().value().job.id);
    EXPECT_EQ(job.state, JobState::kFailed);
    EXPECT_NE(job.detail.find("memory"), std::string::npos) << job.detail;
    EXPECT_TRUE(backups_->folder().list().empty());
    EXPECT_EQ(backups_->statistics().failed, 1U);
}

}  // namespace
}  // namespace standings::jobs
