#include "engine/spool.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace standings::engine {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

Error failed(const char* doing) {
    const int code = errno;
    return {code == ENOSPC || code == EDQUOT ? ErrorCode::kNoSpace : ErrorCode::kIo,
            std::string(doing) + " a temporary file: " + std::generic_category().message(code)};
}

std::string temporary_folder() {
    std::error_code error;
    const auto folder = std::filesystem::temp_directory_path(error);
    return error ? "/tmp" : folder.string();
}

}  // namespace

Result<Spool> Spool::open(const std::string& folder) {
    const std::string where = folder.empty() ? temporary_folder() : folder;
    int file = ::open(where.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        // A file system that cannot make a file without a name: take the name away at once.
        std::string path = where + "/spool-XXXXXX";
        file = ::mkostemp(path.data(), O_CLOEXEC);
        if (file >= 0) ::unlink(path.c_str());
    }
    if (file < 0) return failed("open");
    return Spool(file);
}

Spool::Spool(Spool&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      written_(other.written_),
      buffer_(std::move(other.buffer_)) {}

Spool& Spool::operator=(Spool&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(written_, other.written_);
    std::swap(buffer_, other.buffer_);
    return *this;
}

Spool::~Spool() {
    if (file_ >= 0) ::close(file_);
}

Result<void> Spool::append(std::string_view bytes) {
    buffer_ += bytes;
    if (buffer_.size() < kBufferBytes) return {};
    return flush();
}

Result<void> Spool::flush() {
    if (const auto done = overwrite(written_, buffer_); !done) return done;
    written_ += buffer_.size();
    buffer_.clear();
    return {};
}

Result<std::uint64_t> Spool::free_bytes() const {
    struct statvfs facts {};
    if (::fstatvfs(file_, &facts) != 0) return failed("look at the disk of");
    return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

Result<void> Spool::overwrite(std::uint64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("write");
        offset += static_cast<std::uint64_t>(count);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<void> Spool::read(std::uint64_t offset, std::size_t count, std::string& out) const {
    CHECK(buffer_.empty());
    out.resize(count);
    std::size_t got = 0;
    while (got < count) {
        const auto more =
            ::pread(file_, out.data() + got, count - got, static_cast<off_t>(offset + got));
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) return failed("read");
        if (more == 0) break;
        got += static_cast<std::size_t>(more);
    }
    out.resize(got);
    return {};
}

}  // namespace standings::engine
