#include "base/output_path.h"

#include <filesystem>
#include <system_error>

namespace standings::base {
namespace {

namespace fs = std::filesystem;

// As many as the kernel follows.
constexpr int kMaxLinks = 40;

// Where a file comes to be that is made through `path`: behind its links, whose end is not there.
std::string behind_links(const std::string& path) {
    fs::path at = path;
    std::error_code failure;
    for (int i = 0; i < kMaxLinks; ++i) {
        const fs::path next = fs::read_symlink(at, failure);
        if (failure) return at.string();
        at = at.parent_path() / next;
    }
    return path;
}

}  // namespace

Result<std::string> replaceable_path(const std::string& path) {
    std::error_code failure;
    const auto status = fs::status(path, failure);
    if (!fs::exists(status)) return behind_links(path);
    if (!fs::is_regular_file(status)) {
        return Error{ErrorCode::kSettings,
                     "'" + path + "' is no ordinary file and is not replaced; name another one"};
    }
    const auto real = fs::canonical(path, failure);
    return failure ? path : real.string();
}

}  // namespace standings::base
