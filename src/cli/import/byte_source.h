// The bytes of a file to import, unpacked where it is gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace standings::cli {

// A file from its beginning to its end. Gzip is known by its first bytes, whatever the name says;
// several members one after the other are read as one. Owner and thread: one pass over the file.
class ByteSource {
  public:
    // Fails with kIo and a sentence that names the file.
    static base::Result<ByteSource> open(const std::string& path);
    // The same for an open descriptor, from its present place on; it is duplicated. `name` is what
    // messages call it.
    static base::Result<ByteSource> open(int descriptor, const std::string& name);

    // Fills `out` unless the end comes before; 0 is the end. Fails with kIo, also for a gzip file
    // that is cut off or damaged.
    base::Result<std::size_t> read(std::span<char> out);

    // How far into the file, in its own bytes, and how many it has: for progress.
    std::uint64_t position() const;
    std::uint64_t size() const { return size_; }

  private:
    struct Closer {
        void operator()(void* file) const;
    };
    ByteSource(void* file, std::string name, std::uint64_t size);

    std::unique_ptr<void, Closer> file_;  // zlib's gzFile
    std::string name_;
    std::uint64_t size_;
};

}  // namespace standings::cli
