// Backups of a running server: on demand and on a schedule, and how many are kept.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "engine/engine.h"
#include "jobs/backup_folder.h"
#include "jobs/backup_options.h"
#include "jobs/job_list.h"

namespace standings::jobs {

// For metrics. Written by the job's thread, read by any.
struct BackupStatistics {
    std::atomic<std::int64_t> last_at_ms{0};  // 0: there is none
    std::atomic<std::uint64_t> last_bytes{0};
    std::atomic<std::uint64_t> last_took_ms{0};
    std::atomic<std::uint64_t> made{0};  // since the start
    std::atomic<std::uint64_t> failed{0};
};

// Owner: the server, beside the engine and the job list, which outlive it. Any thread calls.
class Backups {
  public:
    // Opens the folder and begins the schedule: the next backup is due `every` after the newest,
    // and one that fails is tried again after a minute, two, four ... up to `every`.
    static base::Result<std::unique_ptr<Backups>> open(engine::Engine& engine, JobList& jobs,
                                                       const BackupOptions& options,
                                                       std::string version);
    ~Backups();

    // kJobRunning while another job runs. `key` as in JobList::start().
    base::Result<BegunJob> start(const std::optional<engine::RequestKey>& key = {});
    const BackupFolder& folder() const { return folder_; }
    const BackupStatistics& statistics() const { return statistics_; }
    // Ends the schedule. Idempotent.
    void stop();

  private:
    Backups(engine::Engine& engine, JobList& jobs, const BackupOptions& options,
            BackupFolder folder, std::string version);

    // On the job's thread.
    base::Result<std::string> make(JobControl& control);
    base::Result<BackupManifest> make_file(JobControl& control, const std::string& part);
    struct Copy {
        std::unique_ptr<ledger::LedgerCopy> made;
        base::Sequence seq;
        base::Instant at;         // of seq
        std::uint64_t bytes = 0;  // copied, some of them more than once
    };
    base::Result<Copy> at_committer(JobControl& control, const std::string& part, Copy copy);
    base::Result<Copy> copy(JobControl& control, const std::string& part);
    base::Result<void> check_space(std::uint64_t still_to_write) const;
    void note(const BackupManifest& manifest);
    void keep_schedule();
    void put_off(base::Monotonic time);

    engine::Engine& engine_;
    JobList& jobs_;
    const BackupOptions options_;
    const BackupFolder folder_;
    const std::string version_;
    BackupStatistics statistics_;
    base::Monotonic retry_after_;  // the job's thread

    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    base::Monotonic due_{};  // when the schedule makes the next one
    std::thread schedule_;
};

}  // namespace standings::jobs
