#include "ledger/sqlite/steady_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace standings::ledger::sqlite {
namespace {

using base::Result;

constexpr std::uint64_t kMostOnTheWay = std::uint64_t{8} << 20;

Result<void> sync_range(const File& file, std::uint64_t from, std::uint64_t to, unsigned flags) {
    const int done = ::sync_file_range(file.descriptor(), static_cast<off64_t>(from),
                                       static_cast<off64_t>(to - from), flags);
    if (done != 0 && errno != ENOSYS) return system_error("write the copy");
    return {};
}

}  // namespace

Result<SteadyFile> SteadyFile::make(const std::string& path) {
    File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.descriptor() < 0) return system_error("make " + path);
    return SteadyFile(std::move(file));
}

Result<void> SteadyFile::write(const char* bytes, std::size_t size, std::uint64_t at) {
    if (written_.bytes == 0) written_ = {.from = at, .to = at};
    written_.from = std::min(written_.from, at);
    written_.to = std::max<std::uint64_t>(written_.to, at + size);
    written_.bytes += size;
    while (size > 0) {
        const ssize_t done = ::pwrite(file_.descriptor(), bytes, size, static_cast<off_t>(at));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return system_error("write the copy");
        bytes += done;
        at += static_cast<std::uint64_t>(done);
        size -= static_cast<std::size_t>(done);
    }
    return {};
}

Result<void> SteadyFile::flush() {
    if (written_.bytes == 0) return {};
    auto begun = sync_range(file_, written_.from, written_.to, SYNC_FILE_RANGE_WRITE);
    if (!begun) return begun.error();
    bytes_on_the_way_ += written_.bytes;
    on_the_way_.push_back(std::exchange(written_, {}));
    while (bytes_on_the_way_ > kMostOnTheWay) {
        if (auto done = wait_for_oldest(); !done) return done.error();
    }
    return {};
}

Result<void> SteadyFile::wait_for_oldest() {
    const Range oldest = on_the_way_.front();
    on_the_way_.pop_front();
    bytes_on_the_way_ -= oldest.bytes;
    auto done = sync_range(
        file_, oldest.from, oldest.to,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    if (!done) return done.error();
    // Nobody reads it soon: the room is the database's.
    ::posix_fadvise64(file_.descriptor(), static_cast<off64_t>(oldest.from),
                      static_cast<off64_t>(oldest.to - oldest.from), POSIX_FADV_DONTNEED);
    return {};
}

Result<void> SteadyFile::finish(std::uint64_t bytes) {
    if (auto begun = flush(); !begun) return begun.error();
    while (!on_the_way_.empty()) {
        if (auto done = wait_for_oldest(); !done) return done.error();
    }
    if (::ftruncate(file_.descriptor(), static_cast<off_t>(bytes)) != 0) {
        return system_error("cut the copy");
    }
    return {};
}

}  // namespace standings::ledger::sqlite
