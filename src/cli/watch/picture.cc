#include "cli/watch/picture.h"

#include <algorithm>
#include <utility>

#include "cli/cells.h"
#include "cli/command.h"
#include "cli/import/progress.h"
#include "cli/listing.h"
#include "cli/scores.h"
#include "text/json_writer.h"
#include "text/terminal_text.h"

namespace standings::cli {
namespace {

constexpr std::string_view kBold = "1";
constexpr std::string_view kGreen = "32";
constexpr std::string_view kRed = "31";
constexpr std::string_view kYellow = "33";
// In the table.
constexpr std::size_t kMoveColumn = 1;

using Rows = std::vector<const LiveRow*>;

// Where the player's own row is; none: not here.
std::optional<std::size_t> own_place(const WatchedView& view, const Rows& rows) {
    const auto own = std::find_if(rows.begin(), rows.end(),
                                  [&](const LiveRow* row) { return row->player == view.player; });
    if (own == rows.end()) return std::nullopt;
    return static_cast<std::size_t>(own - rows.begin());
}

// `count` of the rows: the first ones, or those around the player.
Rows cut(const WatchedView& view, const Rows& rows, std::size_t count) {
    if (rows.size() <= count) return rows;
    std::size_t first = 0;
    if (const auto own = own_place(view, rows)) {
        first = std::min(*own - std::min(*own, count / 2), rows.size() - count);
    }
    const auto from = rows.begin() + static_cast<std::ptrdiff_t>(first);
    return {from, from + static_cast<std::ptrdiff_t>(count)};
}

std::string text_of(const std::optional<Move>& move) {
    if (!move) return "";
    if (move->is_new) return "new";
    return move->climbed > 0 ? "▲" + std::to_string(move->climbed)
                             : "▼" + std::to_string(-move->climbed);
}

std::string_view colour_of(const std::optional<Move>& move) {
    if (!move) return "";
    if (move->is_new) return kYellow;
    return move->climbed > 0 ? kGreen : kRed;
}

std::string painted(const std::string& text, std::string_view colour, const Canvas& canvas) {
    if (!canvas.has_colour) return text;
    return "\x1b[" + std::string(colour) + 'm' + text + "\x1b[0m";
}

std::string fitted(std::string_view text, std::size_t columns) {
    return isolated(shortened(printable(text), std::max<std::size_t>(columns, 1)));
}

std::string title_line(const Picture& picture, const Canvas& canvas) {
    const std::uint64_t total = picture.rows.total();
    std::string rest = "  " + grouped(total) + (total == 1 ? " player" : " players");
    if (picture.head.is_closed) rest += ", closed";
    const std::string& title = picture.head.title;
    const std::string name =
        title.empty() ? picture.view.board : title + " (" + picture.view.board + ')';
    const std::size_t room = canvas.columns - std::min(canvas.columns, rest.size());
    return painted(fitted(name, room), kBold, canvas) + fitted(rest, canvas.columns);
}

std::string table_of(const Picture& picture, const Rows& rows, const Canvas& canvas) {
    std::vector<ListColumn> columns = standings_columns(picture.head.columns, "row.");
    columns.insert(columns.begin() + kMoveColumn,
                   ListColumn{"move", "move", TableColumn::Kind::kNumber});
    Listing listing(std::move(columns));
    std::vector<std::optional<Move>> moves;
    for (const LiveRow* row : rows) {
        moves.push_back(picture.moves.of(*row, picture.now));
        std::string item = "{\"row\":" + row->json + ',';
        text::append_member(item, "move", text_of(moves.back()));
        listing.add(item + '}');
    }
    const auto own = own_place(picture.view, rows);
    TableLook look{
        .width = canvas.columns, .bold_head = canvas.has_colour, .isolates = true, .colour = {}};
    if (canvas.has_colour) {
        look.colour = [&](std::size_t row, std::size_t column) {
            if (column == kMoveColumn) return std::string(colour_of(moves[row]));
            return std::string(row == own ? kBold : "");
        };
    }
    return listing.shown_as(Format::kTable, {}, look);
}

std::string status_line(const Picture& picture, std::size_t left_out, const Canvas& canvas) {
    const std::string dot = painted("●", picture.is_connected ? kGreen : kYellow, canvas) + ' ';
    std::string text = picture.state;
    if (!picture.news.empty()) text += "  " + picture.news;
    if (left_out > 0) text += "  " + std::to_string(left_out) + " more rows do not fit";
    return dot + fitted(text, canvas.columns - std::min<std::size_t>(canvas.columns, 2));
}

}  // namespace

std::string WatchedView::target(std::optional<std::uint32_t> rate) const {
    std::string query = "?top=" + std::to_string(count);
    if (player) {
        query = (around > 0 ? "?around=" : "?player=") + escaped(*player);
        if (around > 0) query += "&span=" + std::to_string(around);
    }
    if (rate) query += "&rate=" + std::to_string(*rate);
    return board_path(board, "/live" + query);
}

std::vector<const LiveRow*> WatchedView::wanted(const LiveRows& rows) const {
    Rows all = rows.in_order();
    if (!player) {
        all.resize(std::min(all.size(), count));
        return all;
    }
    const auto own = own_place(*this, all);
    if (!own) return all;
    const std::size_t first = *own - std::min(*own, around);
    const std::size_t end = std::min(all.size(), *own + around + 1);
    return {all.begin() + static_cast<std::ptrdiff_t>(first),
            all.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::string draw(const Picture& picture, const Canvas& canvas) {
    // Beside the rows: the title, their head, an empty line and the state.
    constexpr std::size_t kOtherLines = 4;
    const Rows wanted = picture.view.wanted(picture.rows);
    const std::size_t room = canvas.lines - std::min(canvas.lines, kOtherLines);
    const Rows rows = cut(picture.view, wanted, room);
    std::string out = title_line(picture, canvas) + '\n';
    out += table_of(picture, rows, canvas);
    if (wanted.empty()) {
        const auto& player = picture.view.player;
        const std::string said = player ? *player + " has no score here yet" : "No scores yet";
        out += fitted(said, canvas.columns) + '\n';
    }
    out += '\n' + status_line(picture, wanted.size() - rows.size(), canvas);
    // A window of three lines shows the first ones.
    std::size_t end = 0;
    for (std::size_t line = 0; line < std::max<std::size_t>(canvas.lines, 1); ++line) {
        end = out.find('\n', end);
        if (end == std::string::npos) return out;
        ++end;
    }
    return out.substr(0, end - 1);
}

}  // namespace standings::cli
