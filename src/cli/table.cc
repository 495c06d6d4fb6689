#include "cli/table.h"

#include <algorithm>

#include "base/check.h"
#include "cli/cells.h"
#include "text/terminal_text.h"

namespace standings::cli {
namespace {

using Kind = TableColumn::Kind;

constexpr std::size_t kGap = 2;
// Texts are cut to this before a column is left out, and to the second when that did not help.
constexpr std::size_t kGoodText = 12;
constexpr std::size_t kLeastText = 4;

std::size_t total_of(const std::vector<std::size_t>& widths) {
    std::size_t total = 0;
    std::size_t shown = 0;
    for (const std::size_t width : widths) {
        if (width == 0) continue;
        total += width;
        ++shown;
    }
    return total + kGap * (shown == 0 ? 0 : shown - 1);
}

// Takes cells from the widest text until the table fits or every text is at `least`.
void shrink_texts(const std::vector<TableColumn>& columns, std::vector<std::size_t>& widths,
                  std::size_t room, std::size_t least) {
    while (total_of(widths) > room) {
        std::size_t widest = columns.size();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i].kind != Kind::kText || widths[i] <= least) continue;
            if (widest == columns.size() || widths[i] > widths[widest]) widest = i;
        }
        if (widest == columns.size()) return;
        --widths[widest];
    }
}

void drop_extras(const std::vector<TableColumn>& columns, std::vector<std::size_t>& widths,
                 std::size_t room) {
    for (std::size_t i = columns.size(); i-- > 0 && total_of(widths) > room;) {
        if (columns[i].kind == Kind::kExtra) widths[i] = 0;
    }
}

// The width of each column; 0: it is left out.
std::vector<std::size_t> fitted(const std::vector<TableColumn>& columns,
                                const std::vector<std::size_t>& natural, std::size_t room) {
    std::vector<std::size_t> widths = natural;
    if (room == 0) return widths;
    shrink_texts(columns, widths, room, kGoodText);
    if (total_of(widths) <= room) return widths;
    widths = natural;
    drop_extras(columns, widths, room);
    shrink_texts(columns, widths, room, kLeastText);
    return widths;
}

std::string coloured(const std::string& cell, const std::string& colour) {
    return colour.empty() ? cell : "\x1b[" + colour + 'm' + cell + "\x1b[0m";
}

// `colour_of(column)` may be empty.
std::string line_of(const std::vector<TableColumn>& columns, const std::vector<std::string>& cells,
                    const std::vector<std::size_t>& widths, bool isolates,
                    const std::function<std::string(std::size_t)>& colour_of = {}) {
    std::string line;
    std::size_t owed = 0;  // spaces before the next cell; none at the end of a line
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (widths[i] == 0) continue;
        const std::string cell = shortened(cells[i], widths[i]);
        const std::size_t width = text::columns_of(cell);
        const std::size_t spare = widths[i] - std::min(width, widths[i]);
        const bool at_right = columns[i].kind == Kind::kNumber;
        line.append(owed + (at_right ? spare : 0), ' ');
        const std::string colour = colour_of && !cell.empty() ? colour_of(i) : std::string();
        line += coloured(isolates ? isolated(cell) : cell, colour);
        owed = kGap + (at_right ? 0 : spare);
    }
    // Empty cells at the end leave what stood before them.
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

}  // namespace

std::string table(const std::vector<TableColumn>& columns,
                  std::vector<std::vector<std::string>> rows, const TableLook& look) {
    std::vector<std::string> titles;
    std::vector<std::size_t> natural;
    for (const TableColumn& column : columns) {
        titles.push_back(printable(column.title));
        natural.push_back(text::columns_of(titles.back()));
    }
    for (auto& row : rows) {
        CHECK(row.size() == columns.size());
        for (std::size_t i = 0; i < row.size(); ++i) {
            row[i] = printable(row[i]);
            natural[i] = std::max(natural[i], text::columns_of(row[i]));
        }
    }
    const auto widths = fitted(columns, natural, look.width);
    std::string out = look.bold_head ? "\x1b[1m" : "";
    out += line_of(columns, titles, widths, look.isolates);
    out += look.bold_head ? "\x1b[0m\n" : "\n";
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::function<std::string(std::size_t)> colour_of;
        if (look.colour) colour_of = [&](std::size_t column) { return look.colour(i, column); };
        out += line_of(columns, rows[i], widths, look.isolates, colour_of) + '\n';
    }
    return out;
}

}  // namespace standings::cli
