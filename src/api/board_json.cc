#include "api/board_json.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using ledger::BoardConfig;
using ranking::Column;

constexpr std::size_t kMaxTitle = 128;

constexpr std::array<std::string_view, 4> kRules = {"best", "last", "sum", "first"};
constexpr std::array<std::string_view, 2> kTies = {"shared", "earliest"};
constexpr std::array<std::string_view, 2> kOrders = {"desc", "asc"};
constexpr std::array<std::string_view, 2> kVisibilities = {"public", "private"};

Error invalid(std::string pointer, std::string detail) {
    return {ErrorCode::kInvalid, std::move(detail), std::move(pointer)};
}

template <class Choice, std::size_t N>
Result<Choice> read_choice(const text::JsonNode& node, const std::array<std::string_view, N>& names,
                           std::string pointer) {
    for (std::size_t i = 0; i < N; ++i) {
        if (node.is_string() && node.text == names[i]) return static_cast<Choice>(i);
    }
    std::string detail = "Choose one of";
    for (const std::string_view name : names) detail += " `" + std::string(name) + '`';
    return invalid(std::move(pointer), detail + '.');
}

bool is_column_name(std::string_view name) {
    if (name.empty() || name.size() > 32 || name[0] < 'a' || name[0] > 'z') return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

Result<Column> read_column(const text::JsonDocument& document, const text::JsonNode& node,
                           const std::string& at) {
    if (!node.is_object()) return invalid(at, "A column is an object with a `name`.");
    Column column;
    column.name.clear();
    std::optional<Error> failure;
    document.for_each(node, [&](const text::JsonNode& member) {
        if (failure) return;
        const std::string pointer = at + text::pointer_to(member.key);
        if (member.key == "name") {
            if (member.is_string() && is_column_name(member.text)) {
                column.name = member.text;
            } else {
                failure = invalid(pointer,
                                  "A column's name has 1 to 32 of a-z, 0-9 and _, and "
                                  "begins with a letter.");
            }
        } else if (member.key == "order") {
            auto order = read_choice<ranking::Order>(member, kOrders, pointer);
            if (order) {
                column.order = *order;
            } else {
                failure = order.error();
            }
        } else if (member.key == "decimals") {
            const auto decimals = ranking::parse_units(member.text, 0);
            if (member.is_number() && decimals && *decimals >= 0 &&
                *decimals <= ranking::kMaxDecimals) {
                column.decimals = static_cast<std::uint8_t>(*decimals);
            } else {
                failure = invalid(pointer, "A column has 0 to 6 decimals.");
            }
        } else {
            failure = invalid(pointer,
                              "A column has `name`, `order` and `decimals`; this member "
                              "is not known.");
        }
    });
    if (failure) return *failure;
    if (column.name.empty()) return invalid(at, "The column needs a `name`.");
    return column;
}

Result<std::vector<Column>> read_columns(const text::JsonDocument& document,
                                         const text::JsonNode& node) {
    if (!node.is_array() || node.size < 1 || node.size > ranking::kMaxColumns) {
        return invalid("/columns", "A board has 1 to 4 columns, in order of importance.");
    }
    std::vector<Column> columns;
    std::optional<Error> failure;
    document.for_each(node, [&](const text::JsonNode& item) {
        if (failure) return;
        const std::string at = "/columns/" + std::to_string(columns.size());
        auto column = read_column(document, item, at);
        if (!column) {
            failure = column.error();
            return;
        }
        for (const Column& other : columns) {
            if (other.name == column->name)
                failure = invalid(at + "/name", "Two columns have this name.");
        }
        columns.push_back(*std::move(column));
    });
    if (failure) return *failure;
    return columns;
}

// {"min":0,"max":10}: null takes a bound away.
Result<void> read_limit(const text::JsonDocument& document, const text::JsonNode& node,
                        std::uint8_t decimals, const std::string& at, ledger::ScoreLimits& limit) {
    if (node.is_null()) {
        limit = {};
        return {};
    }
    if (!node.is_object()) return invalid(at, "A limit is an object with `min` and `max`.");
    std::optional<Error> failure;
    document.for_each(node, [&](const text::JsonNode& member) {
        if (failure) return;
        const std::string pointer = at + text::pointer_to(member.key);
        if (member.key != "min" && member.key != "max") {
            failure = invalid(pointer, "A limit has `min` and `max`; this member is not known.");
            return;
        }
        auto& bound = member.key == "min" ? limit.min : limit.max;
        if (member.is_null()) {
            bound.reset();
            return;
        }
        if (!member.is_number()) {
            failure = invalid(pointer, "A limit is a JSON number.");
            return;
        }
        const auto units = ranking::parse_units(member.text, decimals);
        if (units) {
            bound = *units;
        } else {
            failure = invalid(pointer, units.error().detail);
        }
    });
    if (failure) return *failure;
    if (limit.min && limit.max && *limit.min > *limit.max) {
        return invalid(at, "`min` is larger than `max`.");
    }
    return {};
}

Result<void> read_limits(const text::JsonDocument& document, const text::JsonNode& node,
                         BoardConfig& config) {
    const auto& columns = config.rules.columns;
    if (node.is_null()) {
        config.limits = {};
        return {};
    }
    if (!node.is_object()) return invalid("/limits", "`limits` is an object.");
    if (columns.size() == 1) {
        return read_limit(document, node, columns[0].decimals, "/limits", config.limits[0]);
    }
    std::optional<Error> failure;
    document.for_each(node, [&](const text::JsonNode& member) {
        if (failure) return;
        const std::string pointer = "/limits" + text::pointer_to(member.key);
        const auto column = std::find_if(columns.begin(), columns.end(), [&](const Column& each) {
            return each.name == member.key;
        });
        if (column == columns.end()) {
            failure = invalid(pointer, "The board has no column of this name.");
            return;
        }
        const auto read =
            read_limit(document, member, column->decimals, pointer,
                       config.limits[static_cast<std::size_t>(column - columns.begin())]);
        if (!read) failure = read.error();
    });
    if (failure) return *failure;
    return {};
}

// One member but for `columns` and `limits`.
Result<void> read_member(const text::JsonNode& member, BoardConfig& config) {
    const bool back = member.is_null();
    if (member.key == "title") {
        if (back) return config.title.clear(), Result<void>{};
        if (!member.is_string()) return invalid("/title", "`title` is a text.");
        if (member.text.empty()) return config.title.clear(), Result<void>{};
        auto title = text::clean_name(member.text, kMaxTitle);
        if (!title) return invalid("/title", title.error().detail);
        config.title = *std::move(title);
    } else if (member.key == "rule") {
        const auto rule =
            back ? ranking::Rule::kBest : read_choice<ranking::Rule>(member, kRules, "/rule");
        if (!rule) return rule.error();
        config.rules.rule = *rule;
    } else if (member.key == "ties") {
        const auto ties =
            back ? ranking::Ties::kShared : read_choice<ranking::Ties>(member, kTies, "/ties");
        if (!ties) return ties.error();
        config.rules.ties = *ties;
    } else if (member.key == "visibility") {
        const auto seen =
            back ? ledger::Visibility::kPublic
                 : read_choice<ledger::Visibility>(member, kVisibilities, "/visibility");
        if (!seen) return seen.error();
        config.visibility = *seen;
    } else if (member.key == "public_meta") {
        if (!back && !member.is_bool()) {
            return invalid("/public_meta", "`public_meta` is true or false.");
        }
        config.public_meta = !back && member.boolean;
    } else {
        return invalid(text::pointer_to(member.key),
                       "A board has `id`, `title`, `rule`, `ties`, `columns`, `visibility`, "
                       "`public_meta` and `limits`; this member is not known.");
    }
    return {};
}

Result<void> read_members(const text::JsonDocument& document, const text::JsonNode& root,
                          BoardConfig& config) {
    // Columns first: limits are read in their decimals.
    if (const text::JsonNode* node = document.member(root, "columns")) {
        auto columns = node->is_null() ? Result<std::vector<Column>>({Column{}})
                                       : read_columns(document, *node);
        if (!columns) return columns.error();
        if (*columns != config.rules.columns) config.limits = {};
        config.rules.columns = *std::move(columns);
    }
    if (const text::JsonNode* node = document.member(root, "limits")) {
        if (const auto read = read_limits(document, *node, config); !read) return read.error();
    }
    std::optional<Error> failure;
    document.for_each(root, [&](const text::JsonNode& member) {
        if (failure || member.key == "id" || member.key == "columns" || member.key == "limits") {
            return;
        }
        if (const auto read = read_member(member, config); !read) failure = read.error();
    });
    if (failure) return *failure;
    return {};
}

void append_limit(std::string& out, const ledger::ScoreLimits& limit, std::uint8_t decimals) {
    out += '{';
    if (limit.min) {
        text::append_key(out, "min");
        ranking::append_units(out, *limit.min, decimals);
    }
    if (limit.max) {
        if (limit.min) out += ',';
        text::append_key(out, "max");
        ranking::append_units(out, *limit.max, decimals);
    }
    out += '}';
}

void append_limits(std::string& out, const BoardConfig& config) {
    const auto& columns = config.rules.columns;
    text::append_key(out, "limits");
    if (columns.size() == 1) return append_limit(out, config.limits[0], columns[0].decimals);
    out += '{';
    bool first = true;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (config.limits[i] == ledger::ScoreLimits{}) continue;
        if (!std::exchange(first, false)) out += ',';
        text::append_key(out, columns[i].name);
        append_limit(out, config.limits[i], columns[i].decimals);
    }
    out += '}';
}

template <class Choice, std::size_t N>
void append_choice(std::string& out, std::string_view key, Choice choice,
                   const std::array<std::string_view, N>& names) {
    text::append_key(out, key);
    out += '"';
    out += names[static_cast<std::size_t>(choice)];
    out += '"';
}

}  // namespace

Result<NewBoard> read_new_board(const text::JsonDocument& document, const text::JsonNode& root) {
    if (!root.is_object()) return invalid("", "Send a JSON object with an `id`.");
    const text::JsonNode* id = document.member(root, "id");
    if (id == nullptr) return invalid("/id", "The board needs an `id`.");
    if (!id->is_string() || !text::is_slug(id->text)) {
        return invalid("/id",
                       "A board's id has 1 to 63 of a-z, 0-9, _ and -, and begins with a "
                       "letter or digit.");
    }
    NewBoard board{std::string(id->text), {}};
    if (const auto read = read_members(document, root, board.config); !read) return read.error();
    return board;
}

Result<BoardConfig> patch_board(const BoardConfig& config, std::string_view slug,
                                const text::JsonDocument& document, const text::JsonNode& patch) {
    if (!patch.is_object()) return invalid("", "A merge patch is a JSON object.");
    const text::JsonNode* id = document.member(patch, "id");
    if (id != nullptr && (!id->is_string() || id->text != slug)) {
        return invalid("/id", "A board's id cannot change. Make another board.");
    }
    BoardConfig patched = config;
    if (const auto read = read_members(document, patch, patched); !read) return read.error();
    return patched;
}

void append_board(std::string& out, const engine::HostedBoard& board, std::string_view epoch) {
    struct Look {
        ledger::BoardRecord record;
        std::size_t total;
    };
    const Look look = board.read([](const engine::HostedBoard::View& view) {
        return Look{view.record, view.board.size()};
    });
    const ledger::BoardRecord& record = look.record;
    const BoardConfig& config = record.config;
    out += '{';
    text::append_member(out, "id", record.slug);
    out += ',';
    text::append_member(out, "title", config.title);
    out += ',';
    append_choice(out, "rule", config.rules.rule, kRules);
    out += ',';
    append_choice(out, "ties", config.rules.ties, kTies);
    out += ",\"columns\":[";
    for (std::size_t i = 0; i < config.rules.columns.size(); ++i) {
        const Column& column = config.rules.columns[i];
        if (i > 0) out += ',';
        out += '{';
        text::append_member(out, "name", column.name);
        out += ',';
        append_choice(out, "order", column.order, kOrders);
        out += ",\"decimals\":";
        text::append_number(out, int{column.decimals});
        out += '}';
    }
    out += "],";
    append_choice(out, "visibility", config.visibility, kVisibilities);
    out += config.public_meta ? ",\"public_meta\":true," : ",\"public_meta\":false,";
    append_limits(out, config);
    out +=
        record.closed ? ",\"state\":\"closed\",\"revision\":" : ",\"state\":\"open\",\"revision\":";
    text::append_number(out, record.revision);
    out += ',';
    text::append_member(out, "epoch", epoch);
    out += ",\"life\":";
    text::append_number(out, record.ranking.value);
    out += ",\"seq\":";
    text::append_number(out, record.seq.value);
    out += ",\"total\":";
    text::append_number(out, look.total);
    out += ',';
    text::append_member(out, "created_at", base::rfc3339(record.created_at));
    out += ',';
    text::append_member(out, "updated_at", base::rfc3339(record.updated_at));
    out += '}';
}

}  // namespace standings::api
