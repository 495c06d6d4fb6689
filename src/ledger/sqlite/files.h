// The few file calls beside SQLite's own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "base/result.h"

namespace standings::ledger::sqlite {

// An open file; closed with the object.
class File {
  public:
    File() = default;
    explicit File(int descriptor) : descriptor_(descriptor) {}
    File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~File();

    int descriptor() const { return descriptor_; }

  private:
    int descriptor_ = -1;
};

// "pwrite standings.mark: No space left on device", from errno.
base::Error system_error(const std::string& doing);

// Makes the names inside `folder` durable.
base::Result<void> sync_folder(const std::filesystem::path& folder);

// Space on the disk that is held back, so that checkpoints and readers can go on when the disk is
// full. Thread: the committer's.
class Reserve {
  public:
    Reserve(std::filesystem::path path, std::uint64_t bytes)
        : path_(std::move(path)), bytes_(bytes) {}

    // Whether the space is held, after taking it if it is not. With 0 bytes always.
    bool hold();
    void release();

  private:
    std::filesystem::path path_;
    std::uint64_t bytes_;
    bool held_ = false;
};

}  // namespace standings::ledger::sqlite
