// The high-water mark: how far the ledger had come when it last answered, in a file of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "ledger/sqlite/file_watcher.h"
#include "ledger/sqlite/files.h"

namespace standings::ledger::sqlite {

struct Mark {
    std::string database_id;  // 32 characters
    std::string epoch;        // at most 16
    base::Sequence seq;
    std::uint64_t chain = 0;
    friend bool operator==(const Mark&, const Mark&) = default;
};

// A mark file as it lies there.
struct MarkInspection {
    std::optional<Mark> newest;
    std::vector<int> damaged;  // slots (0, 1) that hold something, but no valid mark
    bool missing = false;
};

// Two slots with a checksum each, written in turn, so that a torn write costs one step at most. Not
// synced: after a kill it is exact, after a power cut it may be older, never newer than what was
// committed. ~1 us a write. docs/formats/mark.md has the bytes. Thread: the committer's.
class MarkFile {
  public:
    // Makes the file when it is missing. `watcher`, which outlives it, is for tests.
    static base::Result<MarkFile> open(const std::filesystem::path& path,
                                       FileWatcher* watcher = nullptr);

    // Only looks; also while a server writes the file.
    static base::Result<MarkInspection> inspect(const std::filesystem::path& path);

    // The newest mark that was found at open; none in a new or unreadable file.
    const std::optional<Mark>& found() const { return found_; }
    // Whether the file was there, but without any mark that can be read.
    bool unreadable() const { return unreadable_; }
    base::Result<void> write(const Mark& mark);

  private:
    base::Result<void> put(std::span<const std::byte> bytes, std::size_t at);

    std::string path_;
    FileWatcher* watcher_ = nullptr;
    File file_;
    std::optional<Mark> found_;
    bool unreadable_ = false;
    std::uint64_t counter_ = 0;  // of the newest slot; its parity names the slot
};

}  // namespace standings::ledger::sqlite
