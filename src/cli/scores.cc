#include "cli/scores.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "cli/board_spec.h"
#include "cli/stop_request.h"
#include "cli/watch/watch_command.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using Kind = TableColumn::Kind;

constexpr std::size_t kPageOfRows = 1000;  // the API's most
constexpr std::chrono::seconds kSubmitWithin(10);
// Of the live protocol.
constexpr std::size_t kMostWatched = 100;
constexpr std::size_t kMostWatchedAround = 10;

Error wrong(std::string sentence) {
    return {ErrorCode::kSettings, std::move(sentence)};
}

bool is_named(const std::string& argument) {
    return argument.find('=') != std::string::npos;
}

// The columns of a table for `score`, or for each member of `scores`, of a standing at `at`. The
// board's column `names`, where they are known, head what the standing itself cannot name.
void add_score_columns(std::vector<ListColumn>& columns, const text::JsonDocument& document,
                       const text::JsonNode* standing, const std::string& at,
                       const std::vector<std::string>& names = {}) {
    const text::JsonNode* scores = standing != nullptr && standing->is_object()
                                       ? document.member(*standing, "scores")
                                       : nullptr;
    if (scores == nullptr && names.size() > 1) {
        for (const std::string& name : names) {
            columns.push_back({name, at + "scores." + name, Kind::kNumber});
        }
        return;
    }
    if (scores == nullptr) {
        columns.push_back({names.empty() ? "score" : names[0], at + "score", Kind::kNumber});
        return;
    }
    document.for_each(*scores, [&](const text::JsonNode& score) {
        columns.push_back(
            {std::string(score.key), at + "scores." + std::string(score.key), Kind::kNumber});
    });
}

// The board's column names where `first`, a row, does not tell the headings of `format`: with one
// column, and without rows. None where the board cannot be read; then there are plainer headings.
std::vector<std::string> names_for(HttpClient& client, const std::string& board, Format format,
                                   const text::JsonDocument& document,
                                   const text::JsonNode* first) {
    const bool has_names = first != nullptr && document.member(*first, "scores") != nullptr;
    const bool wants_names = format == Format::kTable || (format == Format::kCsv && !first);
    if (has_names || !wants_names) return {};
    const auto found = ask_json(client, {.target = board_path(board)});
    return found ? column_names_of(**found) : std::vector<std::string>();
}

// The columns of a ranking's row that stands at `at`. `first` tells which scores the board has,
// else `names` do.
std::vector<ListColumn> row_columns(const text::JsonDocument& document, const text::JsonNode* first,
                                    const std::vector<std::string>& names,
                                    const std::string& at = "") {
    std::vector<ListColumn> columns = {{"rank", at + "rank", Kind::kNumber},
                                       {"position", at + "position", Kind::kNumber, false},
                                       {"player", at + "player"},
                                       {"name", at + "name"}};
    add_score_columns(columns, document, first, at, names);
    columns.push_back({"reached", at + "reached_at", Kind::kExtra});
    return columns;
}

Listing standings_listing(const text::JsonDocument& document, const text::JsonNode* first,
                          const std::vector<std::string>& names) {
    return Listing(row_columns(document, first, names));
}

const text::JsonNode* rows_of(const JsonAnswer& page) {
    return page.document().member(page.root(), "rows");
}

const text::JsonNode* first_of(const JsonAnswer& page) {
    const text::JsonNode* rows = rows_of(page);
    if (rows == nullptr || rows->first == 0) return nullptr;
    return &page.document().node(rows->first);
}

// Which columns the scores go to. One plain score needs no look at the board.
Result<std::vector<std::string>> columns_for(HttpClient& client, const SubmitOptions& options) {
    if (options.scores.size() == 1 && !is_named(options.scores[0])) {
        return std::vector<std::string>{"score"};
    }
    auto answer =
        ask_until_answered(client, {.target = board_path(options.board), .within = kSubmitWithin},
                           "\n  nothing was sent");
    if (!answer) return answer.error();
    const auto board = JsonAnswer::of(std::move(answer->body));
    if (!board) return board.error();
    return column_names_of(**board);
}

Result<std::string> submission_json(const SubmitOptions& options, const std::string& scores) {
    std::string body = "{";
    text::append_member(body, "player", options.player);
    body += ',' + scores;
    const auto add = [&body](std::string_view key, const std::optional<std::string>& value) {
        if (!value) return;
        body += ',';
        text::append_member(body, key, *value);
    };
    add("name", options.name);
    add("occurred_at", options.occurred_at);
    if (options.meta) {
        text::JsonDocument document;
        const auto meta = document.parse(*options.meta);
        if (!meta || !(*meta)->is_object()) {
            return wrong("--meta is a JSON object like '{\"car\":\"gt3\"}', not '" + *options.meta +
                         "'");
        }
        body += ",\"meta\":";
        document.write(**meta, body);
    }
    return body + '}';
}

Result<void> show_receipt(const SubmitOptions& options, std::string body) {
    const auto receipt = JsonAnswer::of(std::move(body));
    if (!receipt) return receipt.error();
    const JsonAnswer& answer = **receipt;
    const text::JsonNode* standing = answer.document().member(answer.root(), "standing");
    std::vector<ListColumn> columns = {{"outcome", "outcome"},
                                       {"seq", "seq", Kind::kNumber, false},
                                       {"player", "standing.player"},
                                       {"name", "standing.name"},
                                       {"rank", "standing.rank", Kind::kNumber},
                                       {"position", "standing.position", Kind::kNumber, false}};
    add_score_columns(columns, answer.document(), standing, "standing.");
    columns.push_back({"rank before", "previous.rank", Kind::kNumber});
    columns.push_back({"players", "total", Kind::kNumber});
    Listing listing(std::move(columns));
    listing.add(answer.document(), answer.root());
    return listing.print(options.format, answer.body());
}

Result<void> submit(const SubmitOptions& options) {
    // What is wrong without a look at the board is said before anything is asked.
    for (const std::string& argument : options.scores) {
        const std::size_t equals = argument.find('=');
        const std::string number =
            equals == std::string::npos ? argument : argument.substr(equals + 1);
        if (!is_json_number(number)) {
            return wrong("a score is a number like 12, -3.5 or 1e6, not '" + number + "'");
        }
    }
    if (const auto sound = submission_json(options, "\"score\":0"); !sound) return sound.error();
    if (options.name && options.name->empty()) {
        return wrong("--name is empty; leave it out, and the player keeps the present one");
    }
    if (options.idempotency_key && options.idempotency_key->empty()) {
        return wrong("--idempotency-key is empty; leave it out, and the command makes one");
    }
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    const auto columns = columns_for(*client, options);
    if (!columns) return columns.error();
    const auto scores = scores_member(options.scores, *columns);
    if (!scores) return scores.error();
    auto body = submission_json(options, *scores);
    if (!body) return body.error();
    const std::string key = options.idempotency_key.value_or(new_idempotency_key());
    const std::string ask_again =
        "\n  the same command with --idempotency-key " + key + " asks again and never counts twice";
    const StopRequest stop;
    StopRequest::set_last_words(
        "\nstandings: interrupted; the score may have counted:" + ask_again + '\n');
    auto answer = ask_until_answered(*client,
                                     {.method = "POST",
                                      .target = board_path(options.board, "/submissions"),
                                      .body = *std::move(body),
                                      .headers = {idempotency_key(key)},
                                      .within = kSubmitWithin},
                                     ask_again);
    if (!answer) return answer.error();
    return show_receipt(options, std::move(answer->body));
}

// The answer without its rows and cursors, for all rows of several pages.
std::string head_of(const JsonAnswer& page) {
    std::string out = "{";
    page.document().for_each(page.root(), [&](const text::JsonNode& member) {
        if (member.key == "rows" || member.key == "next_cursor" || member.key == "prev_cursor")
            return;
        text::append_key(out, member.key);
        page.document().write(member, out);
        out += ',';
    });
    return out + "\"rows\":[";
}

Result<void> top(const TopOptions& options) {
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    std::unique_ptr<Listing> listing;
    std::string whole;
    std::string place = "&offset=" + std::to_string(options.offset);
    for (std::size_t left = options.count; left > 0;) {
        const std::size_t limit = std::min(left, kPageOfRows);
        const std::string query = "/standings?limit=" + std::to_string(limit) + place;
        const auto page = ask_json(*client, {.target = board_path(options.board, query)});
        if (!page) return page.error();
        const JsonAnswer& answer = **page;
        if (!listing) {
            const text::JsonNode* first = first_of(answer);
            const auto names =
                names_for(*client, options.board, options.format, answer.document(), first);
            listing = std::make_unique<Listing>(standings_listing(answer.document(), first, names));
            whole = head_of(answer);
        }
        const text::JsonNode* rows = rows_of(answer);
        if (rows == nullptr || rows->size == 0) break;
        answer.document().for_each(*rows, [&](const text::JsonNode& row) {
            if (listing->size() > 0) whole += ',';
            answer.document().write(row, whole);
            listing->add(answer.document(), row);
        });
        left -= std::min<std::size_t>(left, rows->size);
        const std::string next = answer.text("next_cursor");
        if (next.empty()) break;
        place = "&cursor=" + escaped(next);
    }
    return listing->print(options.format, whole + "]}");
}

Result<void> rank(const RankOptions& options) {
    auto client = HttpClient::open(options.client);
    if (!client) return client.error();
    std::string target = board_path(options.board, "/players/" + escaped(options.player));
    if (options.around) target += "?around=" + std::to_string(*options.around);
    const auto asked = ask_json(*client, {.target = std::move(target)});
    if (!asked) return asked.error();
    const JsonAnswer& answer = **asked;
    const auto names =
        names_for(*client, options.board, options.format, answer.document(), &answer.root());
    Listing listing = standings_listing(answer.document(), &answer.root(), names);
    if (const text::JsonNode* rows = rows_of(answer)) {
        answer.document().for_each(
            *rows, [&](const text::JsonNode& row) { listing.add(answer.document(), row); });
    } else {
        listing.add(answer.document(), answer.root());
    }
    return listing.print(options.format, answer.body());
}

// What of `asked` can be watched: `most` at most.
Result<void> check_watch(const CommandOptions& options, std::string_view flag, std::size_t asked,
                         std::size_t most) {
    if (options.format == Format::kJson || options.format == Format::kCsv) {
        return wrong(
            "what is watched has no end, as -o json and -o csv must have: use -o ndjson, which is "
            "a message a line, or -o table");
    }
    if (asked <= most) return {};
    return wrong("with --watch, " + std::string(flag) + " is up to " + std::to_string(most) +
                 ", not " + std::to_string(asked));
}

int watch(const CommandOptions& options, WatchedView view, const WatchOptions& watch) {
    return watch_board({.client = options.client,
                        .format = options.format,
                        .view = std::move(view),
                        .rate = watch.rate});
}

}  // namespace

std::vector<ListColumn> standings_columns(const std::vector<std::string>& names,
                                          const std::string& at) {
    return row_columns(text::JsonDocument(), nullptr, names, at);
}

Result<std::string> scores_member(const std::vector<std::string>& arguments,
                                  const std::vector<std::string>& columns) {
    const bool any_named = std::any_of(arguments.begin(), arguments.end(), is_named);
    const bool all_named = std::all_of(arguments.begin(), arguments.end(), is_named);
    if (any_named && !all_named) {
        return wrong("give all scores by name, like points=3, or none");
    }
    std::string names;
    for (const std::string& column : columns) names += (names.empty() ? "" : ", ") + column;
    for (const std::string& argument : arguments) {
        const std::string name = argument.substr(0, argument.find('='));
        if (all_named && std::find(columns.begin(), columns.end(), name) == columns.end()) {
            return wrong("there is no column '" + name + "'; the board has " + names);
        }
    }
    for (std::size_t i = 0; all_named && i < arguments.size(); ++i) {
        const std::string name = arguments[i].substr(0, arguments[i].find('=') + 1);
        const bool is_second =
            std::any_of(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(i),
                        [&](const std::string& earlier) { return earlier.starts_with(name); });
        if (is_second)
            return wrong("the score of '" + name.substr(0, name.size() - 1) + "' is given twice");
    }
    if (arguments.size() != columns.size()) {
        return wrong("the board has the columns " + names + ": give a score for each");
    }
    std::string out = columns.size() == 1 ? "\"score\":" : "\"scores\":{";
    for (std::size_t i = 0; i < columns.size(); ++i) {
        std::string_view number = arguments[i];
        if (all_named) {
            // There is one: they are as many as the columns, and no two of one.
            const auto argument =
                std::find_if(arguments.begin(), arguments.end(), [&](const std::string& each) {
                    return std::string_view(each).substr(0, each.find('=')) == columns[i];
                });
            number = std::string_view(*argument).substr(columns[i].size() + 1);
        }
        if (!is_json_number(number)) {
            return wrong("a score is a number like 12, -3.5 or 1e6, not '" + std::string(number) +
                         "'");
        }
        if (columns.size() > 1) {
            if (i > 0) out += ',';
            text::append_key(out, columns[i]);
        }
        out += number;
    }
    return out + (columns.size() == 1 ? "" : "}");
}

int submit_score(const SubmitOptions& options) {
    return exit_after(submit(options));
}

int show_top(const TopOptions& options) {
    if (options.watch.is_wanted) {
        const auto sound = check_watch(options, "--count", options.count, kMostWatched);
        if (!sound) return exit_after(sound);
        return watch(options, {.board = options.board, .count = options.count, .player = {}},
                     options.watch);
    }
    return exit_after(top(options));
}

int show_rank(const RankOptions& options) {
    if (options.watch.is_wanted) {
        const std::size_t around = options.around.value_or(0);
        const auto sound = check_watch(options, "--around", around, kMostWatchedAround);
        if (!sound) return exit_after(sound);
        return watch(options, {.board = options.board, .player = options.player, .around = around},
                     options.watch);
    }
    return exit_after(rank(options));
}

}  // namespace standings::cli
