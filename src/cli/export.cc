#include "cli/export.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/output_path.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/progress_line.h"
#include "cli/stop_request.h"
#include "cli/terminal.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

Error refused(const std::string& file) {
    return {ErrorCode::kIo, "cannot write " + file + ": " + std::strerror(errno)};
}

// A file that is written under a name of its own beside the one it will have. Unless kept, it is
// removed, by a signal as well.
class PartialFile {
  public:
    static Result<PartialFile> create(const std::string& path) {
        auto real = base::replaceable_path(path);
        if (!real) return real.error();
        PartialFile file;
        file.path_ = *std::move(real);
        file.temporary_ = file.path_ + ".partial-XXXXXX";
        file.number_ = ::mkostemp(file.temporary_.data(), O_CLOEXEC);
        if (file.number_ < 0) {
            const Error error = refused(path);
            file.temporary_.clear();
            return error;
        }
        StopRequest::set_litter({file.temporary_});
        // The mode of the file that is replaced, or that of any other new file; the temporary's is
        // for its owner only.
        const mode_t mask = ::umask(0);
        ::umask(mask);
        struct stat earlier {};
        const mode_t mode =
            ::stat(file.path_.c_str(), &earlier) == 0 ? earlier.st_mode & 07777 : 0666 & ~mask;
        if (::fchmod(file.number_, mode) != 0) return refused(path);
        return file;
    }
    PartialFile(PartialFile&& other) noexcept
        : path_(std::move(other.path_)),
          temporary_(std::exchange(other.temporary_, {})),
          number_(std::exchange(other.number_, -1)) {}
    PartialFile& operator=(PartialFile&&) = delete;
    ~PartialFile() {
        if (number_ >= 0) ::close(number_);
        if (temporary_.empty()) return;
        ::unlink(temporary_.c_str());
        StopRequest::set_litter({});
    }

    int number() const { return number_; }

    Result<void> keep() {
        if (::fsync(number_) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
            return refused(path_);
        }
        temporary_.clear();
        StopRequest::set_litter({});
        return {};
    }

  private:
    PartialFile() = default;

    std::string path_;
    std::string temporary_;
    int number_ = -1;
};

// Writes all of it; false with errno when that fails, and EINTR when a signal asks to stop.
bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(file, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR && StopRequest::signal() == 0) continue;
        if (count < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

// What was asked for, or as the file's name ends; CSV where it has no ending. A name that promises
// something else is refused: nobody could open the file.
Result<std::string> format_of(const ExportOptions& options) {
    if (!options.format.empty()) return options.format;
    const std::string name = options.file.substr(options.file.rfind('/') + 1);
    const std::size_t dot = name.rfind('.');
    const std::string ending = dot == std::string::npos || dot == 0 ? "" : name.substr(dot);
    if (ending.empty() || ending == ".csv") return std::string("csv");
    if (ending == ".ndjson" || ending == ".jsonl") return std::string("ndjson");
    if (ending == ".json") return std::string("json");
    return Error{ErrorCode::kSettings,
                 "export writes CSV, NDJSON and JSON, and '" + options.file + "' ends in '" +
                     ending +
                     "'. Name it .csv, .ndjson or .json, or say what it is to hold with --format"};
}

bool is_to_file(const ExportOptions& options) {
    return !options.file.empty() && options.file != "-";
}

enum class End { kComplete, kReaderGone };

Result<End> export_to(const ExportOptions& options) {
    const auto format = format_of(options);
    if (!format) return format.error();
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    std::optional<PartialFile> file;
    if (is_to_file(options)) {
        auto created = PartialFile::create(options.file);
        if (!created) return created.error();
        file.emplace(*std::move(created));
    }
    const int out = file ? file->number() : STDOUT_FILENO;
    // Rows that run over a terminal show themselves how far they are.
    std::optional<ProgressLine> progress;
    if (!is_terminal(out)) progress.emplace("Export");
    std::uint64_t written = 0;
    int write_error = 0;
    const auto answer = client->download(
        {.target = board_path(options.board, "/export?format=" + escaped(*format))},
        [&](std::string_view piece) {
            if (!write_all(out, piece)) {
                write_error = errno;
                return false;
            }
            written += piece.size();
            if (progress) progress->show("", written, 0, "bytes");
            return StopRequest::signal() == 0;
        });
    progress.reset();
    // Whoever read has seen enough, as `head` does.
    if (!file && write_error == EPIPE) return End::kReaderGone;
    errno = write_error;
    if (write_error != 0) return refused(file ? options.file : "to standard output");
    if (!answer)
        return answer.error().with_context("the export of '" + options.board + "' is not complete");
    if (!answer->is_ok()) return error_of(*answer);
    if (!file) return End::kComplete;
    if (const auto kept = file->keep(); !kept) return kept.error();
    const std::string position(answer->header("standings-position"));
    complain("wrote " + options.file + ", " + std::to_string(written) + " bytes" +
             (position.empty() ? "" : ", the board as it was at " + position));
    return End::kComplete;
}

}  // namespace

int export_board(const ExportOptions& options) {
    const StopRequest stop;
    StopRequest::set_last_words(
        std::string("\nstandings: interrupted. ") +
        (is_to_file(options) ? "Nothing was kept" : "What was written is not whole") +
        "; the same command begins anew.\n");
    const auto end = export_to(options);
    if (!end && StopRequest::signal() != 0) return StopRequest::end();
    if (!end) return exit_after(end.error());
    return *end == End::kComplete ? kDone : kFailed;
}

}  // namespace standings::cli
