// A large new file, written without getting into the way of those who sync others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "base/result.h"
#include "ledger/sqlite/files.h"

namespace standings::ledger::sqlite {

// Hands what was written to the disk at once, and waits for it before too much of it is under way:
// a flood would hold up the syncs of the WAL beside it. Each failure of the disk is told by some
// later call, once: a sync through another descriptor would not tell it again. Owner and thread:
// one.
class SteadyFile {
  public:
    // With mode 0600; it must not be there.
    static base::Result<SteadyFile> make(const std::string& path);

    base::Result<void> write(const char* bytes, std::size_t size, std::uint64_t at);
    // Begins to bring to the disk what was written since the last time.
    base::Result<void> flush();
    // Waits for all of it, and makes the file so long.
    base::Result<void> finish(std::uint64_t bytes);

  private:
    struct Range {
        std::uint64_t from = 0;
        std::uint64_t to = 0;  // behind the last byte
        std::uint64_t bytes = 0;
    };

    explicit SteadyFile(File file) : file_(std::move(file)) {}
    base::Result<void> wait_for_oldest();

    File file_;
    Range written_;                 // and not flushed
    std::deque<Range> on_the_way_;  // flushed, and not waited for
    std::uint64_t bytes_on_the_way_ = 0;
};

}  // namespace standings::ledger::sqlite
