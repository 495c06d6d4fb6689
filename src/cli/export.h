// The command `export`: a whole board, as it is at one position, into a file or onward.
#pragma once

#include <string>

#include "cli/client_settings.h"

namespace standings::cli {

struct ExportOptions {
    ClientSettings client;
    std::string board;
    std::string format;  // csv, ndjson or json; empty: as the file's name ends, or else csv
    std::string file;    // empty or "-": standard output
};

// The program's exit code. A file appears under its name when it is complete, or not at all; one
// that was there is replaced then.
int export_board(const ExportOptions& options);

}  // namespace standings::cli
