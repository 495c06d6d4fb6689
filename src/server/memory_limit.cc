#include "server/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string_view>

namespace standings::server {
namespace {

using Limit = std::optional<std::uint64_t>;

Limit least(Limit a, Limit b) {
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

// None when the file is not there, or says "max".
Limit read_limit(const std::string& path) {
    std::ifstream file(path);
    std::uint64_t bytes = 0;
    if (!(file >> bytes)) return std::nullopt;
    return bytes;
}

// The limits of the group `path` and of all around it. A container may see its own group as the
// root, and still be told the path that it has outside: what is not there limits nothing.
Limit limit_along(const std::string& root, std::string path, const char* file) {
    Limit limit;
    for (;;) {
        limit = least(limit, read_limit(root + path + '/' + file));
        const std::size_t slash = path.rfind('/');
        if (path.empty() || slash == std::string::npos) return limit;
        path.resize(slash);
    }
}

bool names_memory(std::string_view controllers) {
    return (',' + std::string(controllers) + ',').find(",memory,") != std::string::npos;
}

}  // namespace

Limit cgroup_memory_limit(const std::string& membership, const std::string& root) {
    // Lines like "4:memory:/a/b" of version 1, "0::/a/b" of version 2.
    std::ifstream file(membership);
    Limit limit;
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find(':');
        if (first == std::string::npos) continue;
        const std::size_t second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const std::string path = line.substr(second + 1);
        if (controllers.empty()) {
            limit = least(limit, limit_along(root, path, "memory.max"));
        } else if (names_memory(controllers)) {
            limit = least(limit, limit_along(root + "/memory", path, "memory.limit_in_bytes"));
        }
    }
    return limit;
}

std::uint64_t memory_limit() {
    const auto pages = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
    const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::uint64_t limit = pages > 0 ? pages * page_bytes : UINT64_MAX;
    rlimit space{};
    if (::getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
        limit = std::min<std::uint64_t>(limit, space.rlim_cur);
    }
    return std::min(limit, cgroup_memory_limit().value_or(UINT64_MAX));
}

}  // namespace standings::server
