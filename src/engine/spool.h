// A file without a name: what is too large for memory and is gone with whoever made it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace standings::engine {

// Left free on a disk for the server itself by whatever else fills it: backups and spools.
inline constexpr std::uint64_t kSpareDiskBytes = std::uint64_t{256} << 20;

// Promise: nothing of it is left when it is destroyed, or the process ends in whatever way. Written
// from front to back, then read anywhere. One thread at a time.
class Spool {
  public:
    // `folder`: on the disk that has the room; empty for the system's temporary one.
    static base::Result<Spool> open(const std::string& folder);
    Spool(Spool&& other) noexcept;
    Spool& operator=(Spool&& other) noexcept;
    ~Spool();

    // Where the next append() begins.
    std::uint64_t size() const { return written_ + buffer_.size(); }
    // Buffered; a full disk is kNoSpace.
    base::Result<void> append(std::string_view bytes);
    base::Result<void> flush();
    // Free bytes on its disk.
    base::Result<std::uint64_t> free_bytes() const;
    // Over what was flushed.
    base::Result<void> overwrite(std::uint64_t offset, std::string_view bytes);
    // Of what was flushed: `count` bytes, or up to the end.
    base::Result<void> read(std::uint64_t offset, std::size_t count, std::string& out) const;

  private:
    explicit Spool(int file) : file_(file) {}

    static constexpr std::size_t kBufferBytes = 256 * 1024;

    int file_ = -1;
    std::uint64_t written_ = 0;
    std::string buffer_;
};

}  // namespace standings::engine
