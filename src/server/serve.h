// `standings serve`: from settings to a running server, and down again.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "settings/flags.h"

namespace standings::server {

struct ServeSettings;

// Run until SIGTERM or SIGINT. They answer the exit code of the process.
int serve(const settings::Flags& flags);
int serve(const ServeSettings& settings);
// What a start refuses of settings that are each well-formed: a sentence for each.
std::vector<std::string> check_start(const settings::Values& values);

// 0 ok, 1 failure, 2 usage or settings, 3 address or data busy, 4 migration needed, 5 integrity.
int exit_code(base::ErrorCode code);

}  // namespace standings::server
