// The folder that a server owns while it runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace standings::server {

// If you hold one, no other server uses the folder. The lock ends with the process, however it
// ends. Owner: serve().
class DataFolder {
  public:
    // Makes the folder (0700) if need be and locks it. kBusy names the other server. What the
    // process makes from then on is for its owner only, whatever its umask was.
    static base::Result<DataFolder> open(const std::string& path);
    // For those who only read a folder that no server uses: keeps a server from starting meanwhile.
    // None while a server runs, which it names in `owner`.
    static base::Result<std::optional<DataFolder>> open_to_read(const std::string& path,
                                                                std::string& owner);
    DataFolder(DataFolder&& other) noexcept;
    DataFolder& operator=(DataFolder&&) = delete;
    ~DataFolder();

    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + '/' + name; }

    // Files and folders that opening it has made where there was no folder, so that who makes
    // nothing of it can take them away, in this order. Empty: there was one.
    const std::vector<std::string>& made() const { return made_; }

    // Who else may read it, and how to end that; empty: nobody may.
    std::string who_else_reads() const;

    // Tells whoever is refused where this server listens.
    void note_address(const std::string& url);

  private:
    DataFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

    std::string path_;
    int lock_;
    std::vector<std::string> made_;
};

// Writes a small file of its own (0600), durably and whole.
base::Result<void> write_private_file(const std::string& path, const std::string& text);
// Empty when there is none.
base::Result<std::string> read_private_file(const std::string& path);

}  // namespace standings::server
