// The commands `standings boards ...`. Each gives the program's exit code.
#pragma once

#include <string>

#include "cli/board_spec.h"
#include "cli/command.h"

namespace standings::cli {

struct BoardOptions : CommandOptions {
    std::string board;
    BoardSpec spec;          // create and edit
    std::string short_form;  // create: "sum:points,goal_difference"; empty: none
    bool yes = false;        // reset and rm: do not ask
};

int list_boards(const BoardOptions& options);
int create_board(const BoardOptions& options);
// Reads the board, changes it, and sends the change for the revision that was read.
int edit_board(const BoardOptions& options);
// These two destroy: they ask on a terminal, and elsewhere want `yes`.
int reset_board(const BoardOptions& options);
int remove_board(const BoardOptions& options);
int close_board(const BoardOptions& options);
int reopen_board(const BoardOptions& options);

}  // namespace standings::cli
