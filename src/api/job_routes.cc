// Long work and what it makes: jobs and backups.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/routes.h"
#include "api/slow_read.h"
#include "base/clock.h"
#include "jobs/backups.h"
#include "jobs/job_list.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::string_view kNoStore = "Cache-Control: no-store\r\n";

void append_job(std::string& out, const jobs::Job& job) {
    out += '{';
    text::append_member(out, "id", job.id);
    out += ',';
    text::append_member(out, "kind", job.kind);
    out += ',';
    text::append_member(out, "state", name_of(job.state));
    out += ',';
    text::append_member(out, "started_at", base::rfc3339(job.started_at));
    if (job.ended_at != base::kNever) {
        out += ',';
        text::append_member(out, "ended_at", base::rfc3339(job.ended_at));
    }
    out += ",\"done\":";
    text::append_number(out, job.done);
    out += ",\"total\":";
    text::append_number(out, job.total);
    out += ',';
    text::append_member(out, "unit", job.unit);
    if (!job.detail.empty()) {
        out += ',';
        text::append_member(out, "detail", job.detail);
    }
    if (!job.result.empty()) {
        out += ',';
        text::append_member(out, "result", job.result);
    }
    out += '}';
}

void answer_job(Call& call, int status, const jobs::Job& job, std::string_view headers = kNoStore) {
    std::string& body = call.tools().body;
    body.clear();
    append_job(body, job);
    call.reply.json(status, body += '\n', headers);
}

Error no_such_job() {
    return {ErrorCode::kJobNotFound, "There is no job of this id, or it has been forgotten."};
}

void list_jobs(Call& call) {
    if (const auto known = call.check_parameters({}); !known) {
        return call.reply.problem(known.error());
    }
    std::string& body = call.tools().body;
    body.assign("{\"items\":[");
    bool first = true;
    for (const jobs::Job& job : call.service().jobs->list()) {
        if (!std::exchange(first, false)) body += ',';
        append_job(body, job);
    }
    call.reply.json(200, body += "]}\n", kNoStore);
}

void get_job(Call& call) {
    if (const auto known = call.check_parameters({}); !known) {
        return call.reply.problem(known.error());
    }
    const auto job = call.service().jobs->find(call.target.segment(2));
    if (!job) return call.reply.problem(no_such_job());
    answer_job(call, 200, *job);
}

void cancel_job(Call& call) {
    const auto job = call.service().jobs->cancel(call.target.segment(2));
    if (!job) return call.reply.problem(no_such_job());
    answer_job(call, 202, *job);
}

// The backups of this server, or why it has none.
Result<jobs::Backups*> backups_of(Call& call) {
    if (call.service().backups != nullptr) return call.service().backups;
    return Error{ErrorCode::kNotImplemented,
                 "This server keeps everything in memory: there is no database to back up."};
}

void start_backup(Call& call) {
    const auto backups = backups_of(call);
    if (!backups) return call.reply.problem(backups.error());
    const auto key = call.idempotency_key();
    if (!key) return call.reply.problem(key.error());
    const auto begun = (*backups)->start(*key);
    if (!begun) return call.reply.problem(begun.error());
    std::string headers(kNoStore);
    if (begun->replayed) headers += "Idempotency-Replayed: true\r\n";
    headers += "Location: /v1/jobs/" + begun->job.id + "\r\n";
    answer_job(call, 202, begun->job, headers);
}

// Folders are read, and files removed, by a worker: an event loop would wait for the disk, for a
// second where a file is large.
void list_backups(Call& call) {
    if (const auto known = call.check_parameters({}); !known) {
        return call.reply.problem(known.error());
    }
    const auto backups = backups_of(call);
    if (!backups) return call.reply.problem(backups.error());
    using Found = std::vector<jobs::BackupManifest>;
    read_slowly<Found>(
        std::move(call.reply),
        [backups = *backups](ledger::LedgerReader&) { return backups->folder().list(); },
        [](Found& found, Reply& reply) {
            std::string& body = reply.tools().body;
            body.assign("{\"items\":[");
            bool first = true;
            for (const auto& backup : found) {
                if (!std::exchange(first, false)) body += ',';
                body += jobs::to_json(backup);
            }
            reply.json(200, body += "]}\n", kNoStore);
        });
}

Error no_such_backup() {
    return {ErrorCode::kBackupNotFound,
            "There is no backup of this name. GET /v1/backups lists those that there are."};
}

void delete_backup(Call& call) {
    const auto backups = backups_of(call);
    if (!backups) return call.reply.problem(backups.error());
    read_slowly<bool>(
        std::move(call.reply),
        [backups = *backups, name = std::string(call.target.segment(2))](ledger::LedgerReader&) {
            return backups->folder().remove(name);
        },
        [](const bool& removed, Reply& reply) {
            if (!removed) return reply.problem(no_such_backup());
            reply.json(200, "{\"deleted\":1}\n", kNoStore);
        });
}

// --- download ---------------------------------------------------------------------------------

// An open file that is being sent. Kept open, so that a deletion meanwhile does not cut it.
class OpenFile {
  public:
    explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
    ~OpenFile() { ::close(descriptor_); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    int descriptor() const { return descriptor_; }

  private:
    int descriptor_;
};

// Sends a file a piece at a time: a worker reads a piece, the loop writes it, and asks for the next
// one once the client has taken most of what was written. Holds one piece and no thread, however
// slow the client. Owner: itself, through whatever it waits for. The loop's thread.
class Download : public std::enable_shared_from_this<Download> {
  public:
    Download(Reply reply, bool to_head, std::unique_ptr<OpenFile> file)
        : reply_(std::move(reply)), to_head_(to_head), file_(std::move(file)) {}

    void begin() {
        reply_.expect_long();
        reply_.begin(200, "application/vnd.sqlite3");
        if (to_head_) return reply_.end();
        next();
    }

  private:
    static constexpr std::size_t kPiece = 256 * 1024;
    static constexpr std::size_t kMostUnsent = 512 * 1024;
    static constexpr auto kLookAgain = std::chrono::milliseconds(5);

    class Piece final : public engine::ReadOperation {
      public:
        explicit Piece(std::shared_ptr<Download> download)
            : ReadOperation(download->reply_.tools().mailbox), download_(std::move(download)) {}
        void run(ledger::LedgerReader&) override {
            bytes.resize(kPiece);
            const ssize_t got = ::pread(download_->file_->descriptor(), bytes.data(), kPiece,
                                        static_cast<off_t>(download_->sent_));
            failed = got < 0;
            bytes.resize(failed ? 0 : static_cast<std::size_t>(got));
        }
        void finished() override { download_->write(*this); }

        std::string bytes;
        bool failed = false;

      private:
        std::shared_ptr<Download> download_;
    };

    void next() {
        if (!reply_.exchange().open()) return;
        if (reply_.exchange().unsent_bytes() > kMostUnsent) return later();
        std::unique_ptr<engine::ReadOperation> read = std::make_unique<Piece>(shared_from_this());
        // The pool is bounded; a download can wait.
        if (!reply_.tools().service.engine.read_slowly(read)) later();
    }
    void later() {
        reply_.tools().loop.after(kLookAgain, [self = shared_from_this()] { self->next(); });
    }
    void write(const Piece& piece) {
        // Not run at all at a shutdown; it must not look like the end of the file.
        if (piece.failed || piece.error) return reply_.exchange().abort();
        if (piece.bytes.empty()) return reply_.end();
        sent_ += piece.bytes.size();
        reply_.exchange().write(piece.bytes);
        next();
    }

    Reply reply_;
    const bool to_head_;
    const std::unique_ptr<OpenFile> file_;
    std::uint64_t sent_ = 0;
};

// None: there is none of this name.
Result<std::unique_ptr<OpenFile>> open_backup(const jobs::BackupFolder& folder,
                                              const std::string& name) {
    const auto backup = folder.find(name);
    if (!backup) return std::unique_ptr<OpenFile>();
    const int file = ::open(folder.file(backup->name).c_str(), O_RDONLY | O_CLOEXEC);
    return file < 0 ? nullptr : std::make_unique<OpenFile>(file);
}

void download_backup(Call& call) {
    if (const auto known = call.check_parameters({}); !known) {
        return call.reply.problem(known.error());
    }
    const auto backups = backups_of(call);
    if (!backups) return call.reply.problem(backups.error());
    read_slowly<std::unique_ptr<OpenFile>>(
        std::move(call.reply),
        [backups = *backups, name = std::string(call.target.segment(2))](ledger::LedgerReader&) {
            return open_backup(backups->folder(), name);
        },
        [to_head = call.request.method == net::Method::kHead](std::unique_ptr<OpenFile>& file,
                                                              Reply& reply) {
            if (!file) return reply.problem(no_such_backup());
            std::make_shared<Download>(std::move(reply), to_head, std::move(file))->begin();
        });
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/v1/jobs", access::Scope::kAdmin, list_jobs},
    {net::Method::kGet, "/v1/jobs/{job}", access::Scope::kAdmin, get_job},
    {net::Method::kDelete, "/v1/jobs/{job}", access::Scope::kAdmin, cancel_job},
    {net::Method::kGet, "/v1/backups", access::Scope::kAdmin, list_backups},
    {net::Method::kPost, "/v1/backups", access::Scope::kAdmin, start_backup},
    {net::Method::kGet, "/v1/backups/{backup}", access::Scope::kAdmin, download_backup},
    {net::Method::kDelete, "/v1/backups/{backup}", access::Scope::kAdmin, delete_backup},
};

}  // namespace

std::span<const Route> job_routes() {
    return kRoutes;
}

}  // namespace standings::api
