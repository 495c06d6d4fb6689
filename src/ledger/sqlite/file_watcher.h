// For tests: hears of what is done to a ledger's files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace standings::ledger::sqlite {

// Is told what was done to which file, after it was done. Temporary files have no name and are left
// out, and so is the memory that connections share. Thread: that of the connections.
class FileWatcher {
  public:
    virtual ~FileWatcher() = default;
    virtual void on_create(const std::string& path) = 0;
    virtual void on_write(const std::string& path, std::uint64_t at,
                          std::span<const std::byte> bytes) = 0;
    virtual void on_truncate(const std::string& path, std::uint64_t size) = 0;
    virtual void on_sync(const std::string& path) = 0;
    // `synced`: the folder was made durable as well.
    virtual void on_remove(const std::string& path, bool synced) = 0;
    virtual void on_sync_folder() = 0;
};

}  // namespace standings::ledger::sqlite
