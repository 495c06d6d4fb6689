// `standings check`: reads all of a database, also beside a running server, and says what is wrong.
#pragma once

#include <string>

#include "cli/command_line.h"

namespace standings::ledger::sqlite {
struct CheckReport;
}

namespace standings::server {

void add_check(cli::CommandLine& line);

// The findings for a person, one a line, without a line end behind the last.
std::string findings_text(const ledger::sqlite::CheckReport& report);

}  // namespace standings::server
