#include "cli/boards.h"

#include <unistd.h>

#include <memory>

#include "cli/terminal.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::string_view kPageOfBoards = "/v1/boards?limit=1000";

Listing boards_listing() {
    using Kind = TableColumn::Kind;
    return Listing({{"board", "id"},
                    {"title", "title"},
                    {"rule", "rule", Kind::kExtra},
                    {"ties", "ties", Kind::kExtra},
                    {"columns", "column_list"},
                    {"visibility", "visibility", Kind::kExtra},
                    {"state", "state", Kind::kExtra},
                    {"players", "total", Kind::kNumber},
                    {"revision", "revision", Kind::kNumber, false},
                    {"created", "created_at", Kind::kText, false},
                    {"updated", "updated_at", Kind::kText, false}});
}

// "points, time:asc:3": what differs from a descending column of whole numbers is said, as
// --column takes it.
std::string column_list(const text::JsonDocument& document, const text::JsonNode& board) {
    std::string list;
    const text::JsonNode* columns = document.member(board, "columns");
    if (columns == nullptr) return list;
    document.for_each(*columns, [&](const text::JsonNode& column) {
        const auto text_of = [&](std::string_view key) {
            const text::JsonNode* member = document.member(column, key);
            return std::string(member != nullptr ? member->text : std::string_view());
        };
        if (!list.empty()) list += ",";
        list += text_of("name");
        if (text_of("order") == "asc") list += ":asc";
        if (text_of("decimals") != "0") list += ":" + text_of("decimals");
    });
    return list;
}

// The board as the server wrote it; the list of columns is for the table and CSV only.
void add_board(Listing& listing, Format format, const text::JsonDocument& document,
               const text::JsonNode& board) {
    std::string row;
    document.write(board, row);
    if (format == Format::kTable || format == Format::kCsv) {
        row.back() = ',';
        text::append_member(row, "column_list", column_list(document, board));
        row += '}';
    }
    listing.add(std::move(row));
}

Result<void> show_board(const BoardOptions& options, const JsonAnswer& answer) {
    Listing listing = boards_listing();
    add_board(listing, options.format, answer.document(), answer.root());
    return listing.print(options.format, answer.body());
}

Result<void> list(const BoardOptions& options) {
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    Listing listing = boards_listing();
    std::string whole = "{\"items\":[";
    std::string after;
    do {
        HttpRequest request{.target = std::string(kPageOfBoards)};
        if (!after.empty()) request.target += "&cursor=" + escaped(after);
        const auto page = ask_json(*client, request);
        if (!page) return page.error();
        const JsonAnswer& answer = **page;
        if (const text::JsonNode* items = answer.document().member(answer.root(), "items")) {
            answer.document().for_each(*items, [&](const text::JsonNode& board) {
                if (listing.size() > 0) whole += ',';
                answer.document().write(board, whole);
                add_board(listing, options.format, answer.document(), board);
            });
        }
        after = answer.text("next_cursor");
    } while (!after.empty());
    return listing.print(options.format, whole + "]}");
}

Result<void> create(const BoardOptions& options) {
    BoardSpec spec = options.spec;
    if (!options.short_form.empty()) {
        if (const auto read = read_short_form(options.short_form, spec); !read) return read.error();
    }
    auto body = new_board_json(options.board, spec);
    if (!body) return body.error();
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    auto answer =
        ask_until_answered(*client, {.method = "POST",
                                     .target = "/v1/boards",
                                     .body = *std::move(body),
                                     .headers = {idempotency_key(new_idempotency_key())}});
    if (!answer) return answer.error();
    const auto board = JsonAnswer::of(std::move(answer->body));
    if (!board) return board.error();
    return show_board(options, **board);
}

Result<void> edit(const BoardOptions& options) {
    if (options.spec.says_nothing()) {
        return Error{ErrorCode::kSettings, "say what to change, for example --title 'New title'"};
    }
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    auto present = ask(*client, {.target = board_path(options.board)});
    if (!present) return present.error();
    const std::string revision(present->header("etag"));
    const auto board = JsonAnswer::of(std::move(present->body));
    if (!board) return board.error();
    const auto names = column_names_of(**board);
    if (names.empty()) {
        return Error{ErrorCode::kIo, "the answer is no board; is --server a Standings server?"};
    }
    auto patch = board_patch_json(options.spec, names);
    if (!patch) return patch.error();

    const auto changed = ask_json(*client, {.method = "PATCH",
                                            .target = board_path(options.board),
                                            .body = *std::move(patch),
                                            .content_type = "application/merge-patch+json",
                                            .headers = {{"If-Match", revision}}});
    if (!changed) return changed.error();
    return show_board(options, **changed);
}

// Fails unless the user agrees to what cannot be undone.
Result<void> agree(HttpClient& client, const BoardOptions& options, const std::string& doing) {
    if (options.yes) return {};
    if (!is_terminal(STDIN_FILENO) || !is_terminal(STDERR_FILENO)) {
        return Error{ErrorCode::kSettings, "to " + doing + " '" + options.board +
                                               "' cannot be undone: say --yes where nobody can be "
                                               "asked"};
    }
    const auto board = ask_json(client, {.target = board_path(options.board)});
    if (!board) return board.error();
    const bool agreed =
        confirmed("To " + doing + " '" + options.board + "' forgets the scores of " +
                  (*board)->text("total") +
                  ((*board)->text("total") == "1" ? " player" : " players") + " for ever. Go on?");
    if (!agreed) return Error{ErrorCode::kCancelled, "nothing was changed"};
    return {};
}

// POST .../reset, /close and /reopen, which answer the board as it is then.
Result<void> change_life(HttpClient& client, const BoardOptions& options, std::string_view step) {
    auto answer = ask_until_answered(client, {.method = "POST",
                                              .target = board_path(options.board, step),
                                              .headers = {idempotency_key(new_idempotency_key())}});
    if (!answer) return answer.error();
    const auto board = JsonAnswer::of(std::move(answer->body));
    if (!board) return board.error();
    return show_board(options, **board);
}

Result<void> reset(const BoardOptions& options) {
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    if (const auto agreed = agree(*client, options, "reset"); !agreed) return agreed.error();
    return change_life(*client, options, "/reset");
}

Result<void> remove(const BoardOptions& options) {
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    if (const auto agreed = agree(*client, options, "remove"); !agreed) return agreed.error();
    const auto answer = ask(*client, {.method = "DELETE", .target = board_path(options.board)});
    if (!answer) return answer.error();
    std::string row = "{";
    text::append_member(row, "board", options.board);
    row += ",\"removed\":true}";
    Listing listing({{"board", "board"}, {"removed", "removed"}});
    listing.add(row);
    return listing.print(options.format, row);
}

Result<void> step(const BoardOptions& options, std::string_view name) {
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    return change_life(*client, options, name);
}

}  // namespace

int list_boards(const BoardOptions& options) {
    return exit_after(list(options));
}

int create_board(const BoardOptions& options) {
    return exit_after(create(options));
}

int edit_board(const BoardOptions& options) {
    return exit_after(edit(options));
}

int reset_board(const BoardOptions& options) {
    return exit_after(reset(options));
}

int remove_board(const BoardOptions& options) {
    return exit_after(remove(options));
}

int close_board(const BoardOptions& options) {
    return exit_after(step(options, "/close"));
}

int reopen_board(const BoardOptions& options) {
    return exit_after(step(options, "/reopen"));
}

}  // namespace standings::cli
