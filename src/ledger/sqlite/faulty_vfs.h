// For tests: a file layer for SQLite that fails when it is told to, above the system's.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "ledger/sqlite/file_watcher.h"

namespace standings::ledger::sqlite {

// The calls that can fail. Reads never do.
enum class FileCall : std::uint8_t { kWrite, kSync };

// Registered with SQLite under name() for as long as it lives. Thread: that of the connections.
class FaultyVfs {
  public:
    explicit FaultyVfs(std::string name);
    ~FaultyVfs();
    FaultyVfs(const FaultyVfs&) = delete;
    FaultyVfs& operator=(const FaultyVfs&) = delete;

    const std::string& name() const { return name_; }

    // From the n-th such call on (1: the next), each fails with `code` until heal(); a write whose
    // file's name does not end in `suffix` does not count.
    void fail(FileCall call, std::uint64_t nth, int code, std::string suffix = {});
    void heal() { code_ = SQLITE_OK; }

    // From now on; null: nobody. Outlives the connections.
    void watch(FileWatcher* watcher) { watcher_ = watcher; }

    std::uint64_t writes() const { return writes_; }
    std::uint64_t syncs() const { return syncs_; }
    // How often a call was made to fail.
    std::uint64_t failures() const { return failures_; }

    // For the functions that SQLite calls.
    int meet(FileCall call, const std::string& path);
    sqlite3_vfs* system() const { return system_; }
    FileWatcher* watcher() const { return watcher_; }

  private:
    std::string name_;
    sqlite3_vfs* system_;
    sqlite3_vfs vfs_{};

    std::uint64_t writes_ = 0;
    std::uint64_t syncs_ = 0;
    std::uint64_t failures_ = 0;
    FileCall call_ = FileCall::kWrite;
    std::uint64_t countdown_ = 0;
    int code_ = SQLITE_OK;
    std::string suffix_;
    FileWatcher* watcher_ = nullptr;
};

}  // namespace standings::ledger::sqlite
