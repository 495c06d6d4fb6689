// Long work, one piece at a time, on a thread of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/operation.h"

namespace standings::jobs {

enum class JobState : std::uint8_t { kRunning, kDone, kFailed, kCancelled };
std::string_view name_of(JobState state);

// A job as it is seen from outside.
struct Job {
    std::string id;
    std::string kind;  // "backup"
    JobState state = JobState::kRunning;
    base::Instant started_at;
    base::Instant ended_at = base::kNever;
    std::uint64_t done = 0;
    std::uint64_t total = 0;                // 0: not known yet
    std::string unit;                       // of both
    std::string detail;                     // what it does now, or why it failed
    std::string result;                     // what it made, once it is done
    std::optional<engine::RequestKey> key;  // of the request that began it
};

struct BegunJob {
    Job job;
    bool replayed = false;  // the request began it before
};

// What the work of a job may do. The job's thread.
class JobControl {
  public:
    virtual ~JobControl() = default;
    virtual void report(std::uint64_t done, std::uint64_t total) = 0;
    virtual void say(std::string detail) = 0;
    virtual bool cancelled() const = 0;
    // Waits for `time`, or until it is cancelled: false then.
    virtual bool wait(base::Monotonic time) = 0;
};

// The name of what was made, or why it was not. It looks at cancelled() several times a second.
using Work = std::function<base::Result<std::string>(JobControl&)>;

// Keeps the last kKept jobs in memory. Owner: the server; any thread calls.
class JobList {
  public:
    static constexpr std::size_t kKept = 100;

    explicit JobList(const base::Clock& clock);
    ~JobList();

    // Begins at once, or fails with kJobRunning (which names the other one) or kDraining. A `key`
    // that began a job which is still kept answers with that one; kIdempotencyMismatch where it
    // came with another request.
    base::Result<BegunJob> start(std::string kind, std::string unit, Work work,
                                 const std::optional<engine::RequestKey>& key = {});
    // The newest first.
    std::vector<Job> list() const;
    std::optional<Job> find(std::string_view id) const;
    // Asks the job to end; one that has ended stays as it is. None: there is no such job.
    std::optional<Job> cancel(std::string_view id);
    // Cancels what runs, waits for its end, and takes no more. Idempotent.
    void stop();

  private:
    class Control;

    void run();
    Job* find_unlocked(std::string_view id);

    const base::Clock& clock_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_;  // the newest in front
    std::uint64_t last_id_ = 0;
    Work work_;                           // to begin
    bool busy_ = false;                   // a job waits to begin, or runs; it is jobs_.front()
    std::atomic<bool> cancelled_{false};  // the busy one
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace standings::jobs
