// For tests: a data folder that is removed with its owner.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/check.h"

namespace standings::ledger {

class DataFolder {
  public:
    DataFolder() : DataFolder(std::filesystem::temp_directory_path()) {}
    explicit DataFolder(const std::filesystem::path& parent) {
        std::string name = (parent / "standings-XXXXXX").string();
        CHECK(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~DataFolder() { std::filesystem::remove_all(path_); }
    DataFolder(const DataFolder&) = delete;
    DataFolder& operator=(const DataFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path database() const { return path_ / "standings.db"; }
    std::filesystem::path mark() const { return path_ / "standings.mark"; }
    std::filesystem::path reserve() const { return path_ / "standings.reserve"; }

  private:
    std::filesystem::path path_;
};

}  // namespace standings::ledger
