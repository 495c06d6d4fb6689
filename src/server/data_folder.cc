#include "server/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "base/write_all.h"
#include "cli/shell_word.h"
#include "ledger/sqlite/files.h"

namespace standings::server {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

std::string why() {
    return std::strerror(errno);
}

std::string read_all(int file) {
    std::string text;
    char buffer[512];
    ssize_t got = 0;
    while ((got = ::read(file, buffer, sizeof buffer)) > 0) {
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
}

}  // namespace

Result<DataFolder> DataFolder::open(const std::string& path) {
    std::error_code failure;
    // Without the slash or the dot behind its name, which would make the folder its own parent.
    auto whole = std::filesystem::absolute(path, failure);
    while ((!whole.has_filename() || whole.filename() == ".") && whole.has_relative_path()) {
        whole = whole.parent_path();
    }
    // Folders in which a new name will stand, the innermost first.
    std::vector<std::filesystem::path> changed;
    for (auto made = whole; !std::filesystem::exists(made, failure); made = made.parent_path()) {
        changed.push_back(made.parent_path());
    }
    std::filesystem::create_directories(whole.parent_path(), failure);
    if (::mkdir(whole.c_str(), 0700) != 0 && errno != EEXIST) {
        return Error{ErrorCode::kIo, "cannot make the data folder '" + path + "': " + why()};
    }
    // SQLite takes the mode of its files from here, and the folder may have been there, open to
    // all.
    ::umask(077);
    // What is durable in a folder whose own name is not would be lost with it.
    for (const auto& folder : changed) {
        if (auto done = ledger::sqlite::sync_folder(folder); !done) return done.error();
    }
    const std::string lock_path = path + "/lock";
    const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
        return Error{ErrorCode::kIo, "cannot write in the data folder '" + path + "': " + why()};
    }
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        std::string owner = read_all(lock);
        ::close(lock);
        while (owner.ends_with('\n')) owner.pop_back();
        return Error{ErrorCode::kBusy, "the data folder '" + path +
                                           "' is in use by another standings server" +
                                           (owner.empty() ? "" : " (" + owner + ")") +
                                           "; stop it, or choose another folder with --data"};
    }
    DataFolder folder(path, lock);
    if (!changed.empty()) {
        folder.made_ = {lock_path, whole.string()};
        // The last one was there before.
        for (const auto& made : std::span(changed).first(changed.size() - 1)) {
            folder.made_.push_back(made.string());
        }
    }
    folder.note_address("starting");
    return folder;
}

Result<std::optional<DataFolder>> DataFolder::open_to_read(const std::string& path,
                                                           std::string& owner) {
    ::umask(077);  // SQLite may make a file for its locks
    const int lock = ::open((path + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
    // Never served: nothing to lock, and nobody to name.
    if (lock < 0 && errno == ENOENT) return std::optional(DataFolder(path, -1));
    if (lock < 0) return Error{ErrorCode::kIo, "cannot read '" + path + "': " + why()};
    if (::flock(lock, LOCK_SH | LOCK_NB) == 0) return std::optional(DataFolder(path, lock));
    owner = read_all(lock);
    while (owner.ends_with('\n')) owner.pop_back();
    ::close(lock);
    return std::optional<DataFolder>();
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      made_(std::move(other.made_)) {}

DataFolder::~DataFolder() {
    if (lock_ >= 0) ::close(lock_);
}

std::string DataFolder::who_else_reads() const {
    struct stat folder {};
    struct stat database {};
    if (::stat(path_.c_str(), &folder) != 0) return {};
    const bool enters = (folder.st_mode & (S_IXGRP | S_IXOTH)) != 0;
    const bool lists = (folder.st_mode & (S_IRGRP | S_IROTH)) != 0;
    const bool changes = enters && (folder.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    const bool reads = enters && ::stat(file("standings.db").c_str(), &database) == 0 &&
                       (database.st_mode & (S_IRGRP | S_IROTH)) != 0;
    if (!lists && !changes && !reads) return {};
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", folder.st_mode & 07777U);
    const std::string word = cli::shell_word(path_);
    std::string text = "the data folder '" + path_ + "' is open to group or others (" + mode + ')';
    if (reads) text += ", and so is the database with all names and meta in it";
    text += "; close it by: chmod 700 " + word;
    if (reads) text += " && chmod 600 " + word + "/standings.*";
    return text;
}

void DataFolder::note_address(const std::string& url) {
    const std::string text = "pid " + std::to_string(::getpid()) + ", " + url + "\n";
    // Only a courtesy: a failure here changes nothing.
    if (::ftruncate(lock_, 0) == 0 && ::lseek(lock_, 0, SEEK_SET) == 0) {
        static_cast<void>(base::write_all(lock_, text));
    }
}

Result<void> write_private_file(const std::string& path, const std::string& text) {
    const std::string fresh = path + ".new";
    const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return Error{ErrorCode::kIo, "cannot write '" + path + "': " + why()};
    const bool written = base::write_all(file, text) && ::fsync(file) == 0;
    const std::string reason = why();
    ::close(file);
    if (!written || ::rename(fresh.c_str(), path.c_str()) != 0) {
        return Error{ErrorCode::kIo, "cannot write '" + path + "': " + reason};
    }
    return {};
}

Result<std::string> read_private_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) return std::string();
    if (file < 0) return Error{ErrorCode::kIo, "cannot read '" + path + "': " + why()};
    std::string text = read_all(file);
    ::close(file);
    return text;
}

}  // namespace standings::server
