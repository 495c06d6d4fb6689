// All of some bytes into a file.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace standings::base {

// False with errno. After a write that took a part of them, as on a disk that is full, the next
// one says why.
inline bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(file, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

}  // namespace standings::base
