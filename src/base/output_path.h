// Where a command may put a file that it makes whole and then renames into place.
#pragma once

#include <string>

#include "base/result.h"

namespace standings::base {

// The path that a rename may replace: the regular file that `path` is or, through links, leads to,
// also where that is not there yet. kSettings for a device, a pipe or a folder, which a
// rename would put an ordinary file in the place of.
Result<std::string> replaceable_path(const std::string& path);

}  // namespace standings::base
