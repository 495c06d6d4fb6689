#include "cli/import/target_board.h"

#include <array>
#include <utility>

#include "cli/board_spec.h"
#include "cli/command.h"
#include "text/json_document.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using ranking::Column;

constexpr std::array<std::string_view, 4> kRules = {"best", "last", "sum", "first"};
constexpr std::array<std::string_view, 2> kOrders = {"desc", "asc"};
constexpr std::array<std::string_view, 2> kTies = {"shared", "earliest"};

template <class Choice, std::size_t N>
std::optional<Choice> choice(std::string_view word, const std::array<std::string_view, N>& words) {
    for (std::size_t i = 0; i < N; ++i) {
        if (words[i] == word) return static_cast<Choice>(i);
    }
    return std::nullopt;
}

template <class Choice, std::size_t N>
std::string_view word(Choice choice, const std::array<std::string_view, N>& words) {
    return words[static_cast<std::size_t>(choice)];
}

std::optional<std::uint8_t> decimals_of(std::string_view text) {
    if (text.size() != 1 || text[0] < '0' || text[0] > '0' + ranking::kMaxDecimals)
        return std::nullopt;
    return static_cast<std::uint8_t>(text[0] - '0');
}

Error strange_answer(const HttpClient& client) {
    return {ErrorCode::kIo, "the answer of " + client.server() +
                                " is not that of a Standings server. Look at --server"};
}

// What is not said is as the server has it.
std::optional<Column> read_column(const text::JsonDocument& json, const text::JsonNode& node) {
    Column column;
    if (const auto* name = json.member(node, "name")) column.name = name->text;
    if (const auto* order = json.member(node, "order")) {
        const auto direction = choice<ranking::Order>(order->text, kOrders);
        if (!direction) return std::nullopt;
        column.order = *direction;
    }
    if (const auto* decimals = json.member(node, "decimals")) {
        const auto count = decimals_of(decimals->text);
        if (!count) return std::nullopt;
        column.decimals = *count;
    }
    return column;
}

std::optional<ranking::Rules> read_rules(const text::JsonDocument& json,
                                         const text::JsonNode& root) {
    ranking::Rules rules;
    if (const auto* node = json.member(root, "rule")) {
        const auto rule = choice<ranking::Rule>(node->text, kRules);
        if (!rule) return std::nullopt;
        rules.rule = *rule;
    }
    if (const auto* node = json.member(root, "ties")) {
        const auto ties = choice<ranking::Ties>(node->text, kTies);
        if (!ties) return std::nullopt;
        rules.ties = *ties;
    }
    const auto* columns = json.member(root, "columns");
    if (columns == nullptr) return rules;
    rules.columns.clear();
    for (auto at = columns->first; at != 0; at = json.node(at).next) {
        auto column = read_column(json, json.node(at));
        if (!column) return std::nullopt;
        rules.columns.push_back(*std::move(column));
    }
    if (rules.columns.empty() || rules.columns.size() > ranking::kMaxColumns) return std::nullopt;
    return rules;
}

Result<TargetBoard> read_board(const HttpClient& client, const HttpAnswer& answer) {
    if (!answer.is_ok()) return error_of(answer);
    text::JsonDocument json;
    const auto root = json.parse(answer.body);
    const bool is_board = root && json.member(**root, "columns") != nullptr;
    auto rules = is_board ? read_rules(json, **root) : std::nullopt;
    if (!rules) return strange_answer(client);
    TargetBoard board{.rules = *std::move(rules), .life = {}};
    if (const auto* life = json.member(**root, "life")) board.life = life->text;
    return board;
}

}  // namespace

Result<ranking::Rules> parse_rules(std::string_view text) {
    BoardSpec spec;
    if (const auto read = read_short_form(text, spec); !read) return read.error();
    const auto body = new_board_json("board", spec);
    if (!body) return body.error();
    text::JsonDocument json;
    const auto root = json.parse(*body);
    auto rules = root ? read_rules(json, **root) : std::nullopt;
    if (!rules) {
        return Error{ErrorCode::kSettings,
                     "a board has 1 to 4 columns with 0 to 6 decimals each, unlike '" +
                         std::string(text) + "'"};
    }
    return *std::move(rules);
}

std::string short_form_of(const ranking::Rules& rules) {
    std::string out(word(rules.rule, kRules));
    char separator = ':';
    for (const Column& column : rules.columns) {
        out += separator + column.name + ':';
        out += word(column.order, kOrders);
        out += ':';
        text::append_number(out, int{column.decimals});
        separator = ',';
    }
    return out;
}

Result<std::optional<TargetBoard>> fetch_board(HttpClient& client, const std::string& id) {
    const auto answer = client.send({.target = board_path(id)});
    if (!answer) return answer.error();
    if (answer->status == 404 && problem_of(*answer).code == "board_not_found")
        return std::optional<TargetBoard>();
    auto board = read_board(client, *answer);
    if (!board) return board.error();
    return std::optional(*std::move(board));
}

Result<TargetBoard> create_board(HttpClient& client, const std::string& id,
                                 const ranking::Rules& rules) {
    BoardSpec spec;
    if (const auto read = read_short_form(short_form_of(rules), spec); !read) return read.error();
    auto body = new_board_json(id, spec);
    if (!body) return body.error();
    const auto answer =
        client.send({.method = "POST", .target = "/v1/boards", .body = *std::move(body)});
    if (!answer) return answer.error();
    return read_board(client, *answer);
}

}  // namespace standings::cli
