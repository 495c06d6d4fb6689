// What the program can know of the terminal it runs on.
#pragma once

#include <cstddef>
#include <string>

namespace standings::cli {

// Files by number: STDIN_FILENO and the like.
bool is_terminal(int file);
// A terminal that does more than print, as TERM says.
bool takes_pictures(int file);
// The same, and its user has not said NO_COLOR.
bool takes_colour(int file);
// COLUMNS where it is a number; else the width of the terminal; 0: neither, any width will do.
std::size_t width_of_terminal(int file);

// Asks on the terminal; true for y or yes. Both input and standard error have to be one.
bool confirmed(const std::string& question);

// Prints "standings: `sentence`" on standard error; what could do harm there is escaped, but for
// line ends. Each line is a sentence of its own, but for those that begin with a space.
void complain(const std::string& sentence);

}  // namespace standings::cli
