// What is said of a database that cannot be used, in the same words by every command.
#pragma once

#include <string>

#include "base/error.h"
#include "base/result.h"

namespace standings::server {

// kSettings where `folder` is not there or holds no database: which one was looked for, and the
// flag that names another one.
base::Result<void> check_holds_database(const std::string& folder);

// The failure with the file in front, unless it names it already.
base::Error naming_file(const base::Error& error, const std::string& file);

// Whoever reads that the database of a folder is damaged wants to know what to do. Other failures
// stay as they are.
base::Error with_advice(base::Error error, const std::string& folder);
// The same where a check has just been: "; a backup goes in its place by: ...".
std::string restore_advice(const std::string& folder);

}  // namespace standings::server
