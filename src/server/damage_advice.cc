#include "server/damage_advice.h"

#include <filesystem>
#include <system_error>

#include "cli/shell_word.h"

namespace standings::server {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;

base::Result<void> check_holds_database(const std::string& folder) {
    std::error_code failure;
    const bool is_there = fs::exists(fs::path(folder) / "standings.db", failure);
    if (failure) {
        return Error{ErrorCode::kIo, "cannot look into '" + folder + "': " + failure.message()};
    }
    if (is_there) return {};
    const std::string whole = fs::absolute(folder, failure).lexically_normal().string();
    const bool no_folder = !fs::exists(folder, failure);
    return Error{ErrorCode::kSettings,
                 (no_folder ? "there is no folder '" + whole + "'"
                            : "the folder '" + whole + "' holds no standings.db") +
                     "; name the data folder with --data"};
}

Error naming_file(const Error& error, const std::string& file) {
    return error.detail.find(file) == std::string::npos ? error.with_context(file) : error;
}

Error with_advice(Error error, const std::string& folder) {
    const bool is_damage = error.code == ErrorCode::kIntegrity;
    if (is_damage && error.detail.find("standings check") == std::string::npos) {
        error.detail += "; what is damaged says: standings check --data " +
                        cli::shell_word(folder) + restore_advice(folder);
    }
    return error;
}

std::string restore_advice(const std::string& folder) {
    return "; a backup goes in its place by: standings restore BACKUP --data " +
           cli::shell_word(folder);
}

}  // namespace standings::server
