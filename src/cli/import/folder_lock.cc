#include "cli/import/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

namespace standings::cli {
namespace {

// A step reads and renames files of some megabytes. Whoever may read a folder can lock it.
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kGlance{20};

}  // namespace

FolderLock FolderLock::of(const std::string& path) {
    if (path.empty()) return FolderLock(Descriptor());
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    Descriptor opened(
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (::flock(opened.number(), LOCK_EX | LOCK_NB) != 0) {
        const bool is_held = errno == EWOULDBLOCK || errno == EINTR;
        if (!is_held || std::chrono::steady_clock::now() > until) break;
        std::this_thread::sleep_for(kGlance);
    }
    return FolderLock(std::move(opened));
}

bool FolderLock::sync() const {
    return folder_.number() < 0 || ::fsync(folder_.number()) == 0 || errno == EINVAL ||
           errno == ENOTSUP;
}

}  // namespace standings::cli
