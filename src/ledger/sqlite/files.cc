#include "ledger/sqlite/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace standings::ledger::sqlite {

File::~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

base::Error system_error(const std::string& doing) {
    const int why = errno;
    return {why == ENOSPC || why == EDQUOT ? base::ErrorCode::kNoSpace : base::ErrorCode::kIo,
            doing + ": " + std::strerror(why)};
}

base::Result<void> sync_folder(const std::filesystem::path& folder) {
    const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (file.descriptor() < 0) return system_error("open " + folder.string());
    if (::fsync(file.descriptor()) != 0) return system_error("fsync " + folder.string());
    return {};
}

bool Reserve::hold() {
    if (held_ || bytes_ == 0) return true;
    const File file(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (file.descriptor() < 0) return false;
    if (::posix_fallocate(file.descriptor(), 0, static_cast<off_t>(bytes_)) != 0) {
        // What it got before the disk was full goes back.
        release();
        return false;
    }
    held_ = true;
    return true;
}

void Reserve::release() {
    held_ = false;
    ::unlink(path_.c_str());
}

}  // namespace standings::ledger::sqlite
