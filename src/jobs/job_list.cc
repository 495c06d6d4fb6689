#include "jobs/job_list.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace standings::jobs {

using base::Error;
using base::ErrorCode;
using base::Result;

namespace {
constexpr int kNiceness = 19;
}  // namespace

std::string_view name_of(JobState state) {
    switch (state) {
        case JobState::kRunning:
            return "running";
        case JobState::kDone:
            return "done";
        case JobState::kFailed:
            return "failed";
        case JobState::kCancelled:
            break;
    }
    return "cancelled";
}

class JobList::Control final : public JobControl {
  public:
    explicit Control(JobList& list) : list_(list) {}

    void report(std::uint64_t done, std::uint64_t total) override {
        const std::lock_guard hold(list_.mutex_);
        list_.jobs_.front().done = done;
        list_.jobs_.front().total = total;
    }
    void say(std::string detail) override {
        const std::lock_guard hold(list_.mutex_);
        list_.jobs_.front().detail = std::move(detail);
    }
    bool cancelled() const override { return list_.cancelled_; }
    bool wait(base::Monotonic time) override {
        std::unique_lock hold(list_.mutex_);
        return !list_.changed_.wait_for(hold, time, [this] { return list_.cancelled_.load(); });
    }

  private:
    JobList& list_;
};

JobList::JobList(const base::Clock& clock) : clock_(clock), thread_([this] { run(); }) {}

JobList::~JobList() {
    stop();
}

Result<BegunJob> JobList::start(std::string kind, std::string unit, Work work,
                                const std::optional<engine::RequestKey>& key) {
    const std::lock_guard hold(mutex_);
    for (const Job& job : jobs_) {
        if (!key || !job.key || job.key->hash != key->hash) continue;
        if (job.key->fingerprint == key->fingerprint) return BegunJob{job, true};
        return Error{ErrorCode::kIdempotencyMismatch,
                     "This Idempotency-Key was used for another request. Use a new key for each "
                     "request, and the same one only to repeat it."};
    }
    if (stopping_) {
        return Error{ErrorCode::kDraining, "The server is shutting down. Try again in a moment."};
    }
    if (busy_) {
        return Error{ErrorCode::kJobRunning, "The job " + jobs_.front().id + " (" +
                                                 jobs_.front().kind +
                                                 ") is running. Wait for its end, or cancel it."};
    }
    Job job{.id = "j" + std::to_string(++last_id_), .kind = std::move(kind)};
    job.started_at = clock_.now();
    job.unit = std::move(unit);
    job.key = key;
    jobs_.push_front(job);
    if (jobs_.size() > kKept) jobs_.pop_back();
    work_ = std::move(work);
    busy_ = true;
    cancelled_ = false;
    changed_.notify_all();
    return BegunJob{std::move(job)};
}

std::vector<Job> JobList::list() const {
    const std::lock_guard hold(mutex_);
    return {jobs_.begin(), jobs_.end()};
}

Job* JobList::find_unlocked(std::string_view id) {
    const auto at =
        std::find_if(jobs_.begin(), jobs_.end(), [id](const Job& job) { return job.id == id; });
    return at == jobs_.end() ? nullptr : &*at;
}

std::optional<Job> JobList::find(std::string_view id) const {
    const std::lock_guard hold(mutex_);
    for (const Job& job : jobs_) {
        if (job.id == id) return job;
    }
    return std::nullopt;
}

std::optional<Job> JobList::cancel(std::string_view id) {
    const std::lock_guard hold(mutex_);
    Job* job = find_unlocked(id);
    if (job == nullptr) return std::nullopt;
    // Only the newest can be the one that runs.
    if (job->state == JobState::kRunning) {
        cancelled_ = true;
        job->detail = "asked to end";
        changed_.notify_all();
    }
    return *job;
}

void JobList::run() {
    // What serves requests goes first. On Linux this is the thread's own; refused, it stays as it
    // is.
    static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNiceness));
    std::unique_lock hold(mutex_);
    while (true) {
        changed_.wait(hold, [this] { return stopping_ || busy_; });
        if (!busy_) return;
        const Work work = std::exchange(work_, nullptr);
        hold.unlock();
        Control control(*this);
        const Result<std::string> made = work(control);
        hold.lock();

        Job& job = jobs_.front();
        job.ended_at = clock_.now();
        if (made) {
            job.state = JobState::kDone;
            job.result = *made;
            job.detail.clear();
        } else {
            job.state = cancelled_ ? JobState::kCancelled : JobState::kFailed;
            job.detail = made.error().detail;
        }
        busy_ = false;
        changed_.notify_all();
    }
}

void JobList::stop() {
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
        cancelled_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

}  // namespace standings::jobs
