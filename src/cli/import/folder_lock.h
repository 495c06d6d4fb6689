// One run of an import at a time, while it changes the files that name refused rows.
#pragma once

#include <string>
#include <utility>

#include "cli/import/input.h"

namespace standings::cli {

// Held on a folder, so that nothing remains of it however a process ends. One thread.
class FolderLock {
  public:
    // Of the folder in which `path` lies; empty: of none. Waits as long as another run needs for a
    // step, not for ever: where it cannot be had, what follows goes on without.
    static FolderLock of(const std::string& path);

    // What was renamed in the folder stays so. False when the disk refuses, with errno; a folder
    // that cannot be opened or synced at all is passed over.
    bool sync() const;

  private:
    explicit FolderLock(Descriptor folder) : folder_(std::move(folder)) {}

    Descriptor folder_;
};

}  // namespace standings::cli
