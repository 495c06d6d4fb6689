// A table of text for a terminal.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace standings::cli {

struct TableColumn {
    enum class Kind {
        kText,    // shortened where the table does not fit
        kNumber,  // at the right, and whole always
        kExtra,   // whole, and left out where the table does not fit
    };
    std::string title;
    Kind kind = Kind::kText;
};

struct TableLook {
    std::size_t width = 0;  // of the terminal in cells; 0: as wide as need be
    bool bold_head = false;
    // Where letters run from right to left, so that they turn no other cell around: on a terminal.
    // Files get names without anything added.
    bool isolates = false;
    // The colour of a cell as SGR has it, "32" or "1;33"; empty: none. Not called for titles.
    std::function<std::string(std::size_t row, std::size_t column)> colour = {};
};

// One line for the titles and one for each row. `rows` have a cell for each column, as they came:
// what could do harm on a terminal is escaped here. When even shortened texts do not fit, the lines
// are longer than `look.width`; a terminal wraps them, and nothing is lost.
std::string table(const std::vector<TableColumn>& columns,
                  std::vector<std::vector<std::string>> rows, const TableLook& look);

}  // namespace standings::cli
