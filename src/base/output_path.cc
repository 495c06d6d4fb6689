#include "base/output_path.h"

#include <filesystem>
#include <system_error>

namespace standings::base {

Result<std::string> replaceable_path(const std::string& path) {
    std::error_code failure;
    const auto status = std::filesystem::status(path, failure);
    if (!std::filesystem::exists(status)) return path;
    if (!std::filesystem::is_regular_file(status)) {
        return Error{ErrorCode::kSettings,
                     "'" + path + "' is no ordinary file and is not replaced; name another one"};
    }
    const auto real = std::filesystem::canonical(path, failure);
    return failure ? path : real.string();
}

}  // namespace standings::base
