#include "cli/import/target_board.h"

#include <array>
#include <charconv>
#include <vector>

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

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

Error wrong_spec(std::string_view text, const std::string& why) {
    return {ErrorCode::kSettings,
            "--create is RULE:column[:order][:decimals],..., like "
            "sum:points,goals or best:time:asc:2, not '" +
                std::string(text) + "': " + why};
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

std::optional<Column> read_column(const text::JsonDocument& json, const text::JsonNode& node) {
    const auto* name = json.member(node, "name");
    const auto* order = json.member(node, "order");
    const auto* decimals = json.member(node, "decimals");
    if (name == nullptr || order == nullptr || decimals == nullptr) return std::nullopt;
    const auto direction = choice<ranking::Order>(order->text, kOrders);
    const auto count = decimals_of(decimals->text);
    if (!direction || !count) return std::nullopt;
    return Column{std::string(name->text), *direction, *count};
}

std::optional<ranking::Rules> read_rules(const text::JsonDocument& json,
                                         const text::JsonNode& root) {
    const auto* rule_node = json.member(root, "rule");
    const auto* ties_node = json.member(root, "ties");
    const auto* columns = json.member(root, "columns");
    if (rule_node == nullptr || ties_node == nullptr || columns == nullptr) return std::nullopt;
    const auto rule = choice<ranking::Rule>(rule_node->text, kRules);
    const auto ties = choice<ranking::Ties>(ties_node->text, kTies);
    if (!rule || !ties) return std::nullopt;
    ranking::Rules rules{*rule, *ties, {}};
    for (auto at = columns->first; at != 0; at = json.node(at).next) {
        auto column = read_column(json, json.node(at));
        if (!column || rules.columns.size() == ranking::kMaxColumns) return std::nullopt;
        rules.columns.push_back(*std::move(column));
    }
    if (rules.columns.empty()) return std::nullopt;
    return rules;
}

}  // namespace

Result<ranking::Rules> parse_board_spec(std::string_view text) {
    ranking::Rules rules;
    const std::string_view rule_word = text.substr(0, text.find(':'));
    const auto rule = choice<ranking::Rule>(rule_word, kRules);
    if (!rule) return wrong_spec(text, "the rule is one of best, last, sum, first");
    rules.rule = *rule;
    if (rule_word.size() == text.size()) return rules;
    rules.columns.clear();
    for (const std::string_view column_text : split(text.substr(rule_word.size() + 1), ',')) {
        const auto parts = split(column_text, ':');
        Column column{std::string(parts[0])};
        for (std::size_t i = 1; i < parts.size(); ++i) {
            const auto order = choice<ranking::Order>(parts[i], kOrders);
            const auto decimals = decimals_of(parts[i]);
            if (order) {
                column.order = *order;
            } else if (decimals) {
                column.decimals = *decimals;
            } else {
                return wrong_spec(text, "behind a column stand asc or desc, and 0 to 6 decimals");
            }
        }
        if (column.name.empty()) return wrong_spec(text, "a column has no name");
        rules.columns.push_back(std::move(column));
    }
    if (rules.columns.size() > ranking::kMaxColumns)
        return wrong_spec(text, "a board has 1 to 4 columns");
    return rules;
}

std::string board_spec(const ranking::Rules& rules) {
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

Result<std::optional<ranking::Rules>> fetch_rules(HttpClient& client, const std::string& id) {
    const auto answer = client.send({.target = board_path(id)});
    if (!answer) return answer.error();
    if (answer->status == 404 && problem_of(*answer).code == "board_not_found")
        return std::optional<ranking::Rules>();
    if (!answer->is_ok()) return error_of(*answer);
    text::JsonDocument json;
    const auto root = json.parse(answer->body);
    if (!root) return strange_answer(client);
    auto rules = read_rules(json, **root);
    if (!rules) return strange_answer(client);
    return rules;
}

Result<void> create_board(HttpClient& client, const std::string& id, const ranking::Rules& rules) {
    std::string body = "{";
    text::append_member(body, "id", id);
    body += ',';
    text::append_member(body, "rule", word(rules.rule, kRules));
    body += ",\"columns\":[";
    for (std::size_t i = 0; i < rules.columns.size(); ++i) {
        const Column& column = rules.columns[i];
        if (i > 0) body += ',';
        body += '{';
        text::append_member(body, "name", column.name);
        body += ',';
        text::append_member(body, "order", word(column.order, kOrders));
        body += ",\"decimals\":";
        text::append_number(body, int{column.decimals});
        body += '}';
    }
    body += "]}";
    const auto answer =
        client.send({.method = "POST", .target = "/v1/boards", .body = std::move(body)});
    if (!answer) return answer.error();
    if (!answer->is_ok()) return error_of(*answer);
    return {};
}

std::string board_path(const std::string& id) {
    return "/v1/boards/" + escaped(id);
}

}  // namespace standings::cli
