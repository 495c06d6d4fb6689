#include "cli/board_spec.h"

#include <algorithm>
#include <array>

#include "text/json_document.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::array<std::string_view, 4> kRules = {"best", "last", "sum", "first"};

Error wrong(std::string sentence) {
    return {ErrorCode::kSettings, std::move(sentence)};
}

// The parts of `text` between `mark`s.
std::vector<std::string_view> split(std::string_view text, char mark) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(mark);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

Result<void> append_column(std::string& out, std::string_view text) {
    const auto parts = split(text, ':');
    if (parts[0].empty() || parts.size() > 3) {
        return wrong("a column is NAME, NAME:asc or NAME:desc:DECIMALS, not '" + std::string(text) +
                     "'");
    }
    out += '{';
    text::append_member(out, "name", parts[0]);
    bool has_order = false;
    bool has_decimals = false;
    for (const std::string_view part : std::vector(parts.begin() + 1, parts.end())) {
        if ((part == "asc" || part == "desc") && !has_order && !has_decimals) {
            has_order = true;
            out += ',';
            text::append_member(out, "order", part);
        } else if (part.size() == 1 && part[0] >= '0' && part[0] <= '9' && !has_decimals) {
            has_decimals = true;
            out += ",\"decimals\":";
            out += part;
        } else {
            return wrong("'" + std::string(part) + "' in the column '" + std::string(text) +
                         "' is neither asc or desc nor a number of decimals");
        }
    }
    out += '}';
    return {};
}

std::vector<std::string> names_of(const std::vector<std::string>& columns) {
    std::vector<std::string> names;
    for (const std::string& column : columns) names.push_back(column.substr(0, column.find(':')));
    return names;
}

// "0..100" as {"min":0,"max":100}; an end left out is null, which takes the bound away.
Result<std::string> range_json(std::string_view text) {
    const std::size_t dots = text.find("..");
    const Error failure = wrong(
        "a limit is MIN..MAX, MIN.. or ..MAX, for one of several columns "
        "COLUMN=MIN..MAX, or none; not '" +
        std::string(text) + "'");
    if (dots == std::string_view::npos) return failure;
    const std::string_view least = text.substr(0, dots);
    const std::string_view most = text.substr(dots + 2);
    std::string out = "{\"min\":";
    for (const std::string_view bound : {least, most}) {
        if (!bound.empty() && !is_json_number(bound)) return failure;
        out += bound.empty() ? "null" : bound;
        out += bound.data() == least.data() ? ",\"max\":" : "}";
    }
    return out;
}

Result<void> append_limits(std::string& out, const BoardSpec& spec,
                           const std::vector<std::string>& names) {
    text::append_key(out, "limits");
    if (spec.limits == std::vector<std::string>{"none"}) {
        out += "null";
        return {};
    }
    std::vector<std::string_view> seen;
    out += names.size() == 1 ? "" : "{";
    for (const std::string& limit : spec.limits) {
        const std::size_t equals = limit.find('=');
        const bool is_named = equals != std::string::npos;
        const std::string_view name =
            is_named ? std::string_view(limit).substr(0, equals) : std::string_view(names[0]);
        if (!is_named && names.size() > 1) {
            return wrong("the board has several columns: a limit is COLUMN=MIN..MAX, not '" +
                         limit + "'");
        }
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            return wrong("the limit '" + limit + "' names a column that the board does not have");
        }
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
            return wrong("the column '" + std::string(name) + "' has two limits; one is enough");
        }
        const auto range = range_json(std::string_view(limit).substr(is_named ? equals + 1 : 0));
        if (!range) return range.error();
        if (names.size() > 1) {
            if (!seen.empty()) out += ',';
            text::append_key(out, name);
        }
        seen.push_back(name);
        out += *range;
    }
    out += names.size() == 1 ? "" : "}";
    return {};
}

// The members that `spec` speaks of, each with a comma in front.
Result<void> append_members(std::string& out, const BoardSpec& spec,
                            const std::vector<std::string>& present_names) {
    const auto add = [&out](std::string_view key, const std::optional<std::string>& value) {
        if (!value) return;
        out += ',';
        text::append_member(out, key, *value);
    };
    add("title", spec.title);
    add("rule", spec.rule);
    add("ties", spec.ties);
    add("visibility", spec.visibility);
    if (spec.public_meta) {
        out += *spec.public_meta ? ",\"public_meta\":true" : ",\"public_meta\":false";
    }
    if (!spec.columns.empty()) {
        out += ",\"columns\":[";
        for (std::size_t i = 0; i < spec.columns.size(); ++i) {
            if (i > 0) out += ',';
            if (const auto column = append_column(out, spec.columns[i]); !column) {
                return column.error();
            }
        }
        out += ']';
    }
    if (spec.limits.empty()) return {};
    out += ',';
    return append_limits(out, spec, spec.columns.empty() ? present_names : names_of(spec.columns));
}

}  // namespace

bool BoardSpec::says_nothing() const {
    return !title && !rule && !ties && !visibility && !public_meta && columns.empty() &&
           limits.empty();
}

Result<void> read_short_form(std::string_view text, BoardSpec& spec) {
    const std::size_t colon = text.find(':');
    const std::string_view rule = text.substr(0, colon);
    if (std::find(kRules.begin(), kRules.end(), rule) == kRules.end()) {
        return wrong(
            "a board in short is RULE:COLUMN,COLUMN... with the rule best, last, sum or "
            "first, like sum:points,goal_difference; not '" +
            std::string(text) + "'");
    }
    if (spec.rule && *spec.rule != rule) {
        return wrong("the rule is said twice: " + *spec.rule + " and " + std::string(rule));
    }
    if (colon != std::string_view::npos && !spec.columns.empty()) {
        return wrong("the columns are said twice: name them with --column or in the short form");
    }
    spec.rule = rule;
    if (colon == std::string_view::npos) return {};
    for (const std::string_view column : split(text.substr(colon + 1), ',')) {
        spec.columns.emplace_back(column);
    }
    return {};
}

Result<std::string> new_board_json(std::string_view id, const BoardSpec& spec) {
    std::string out = "{";
    text::append_member(out, "id", id);
    if (const auto rest = append_members(out, spec, {"score"}); !rest) return rest.error();
    return out + '}';
}

Result<std::string> board_patch_json(const BoardSpec& spec,
                                     const std::vector<std::string>& column_names) {
    std::string members;
    const auto read = append_members(members, spec, column_names);
    if (!read) return read.error();
    if (!members.empty()) members[0] = '{';
    return members.empty() ? std::string("{}") : members + '}';
}

bool is_json_number(std::string_view text) {
    text::JsonDocument document;
    const auto root = document.parse(text);
    // A parser takes space around a value; an argument has none.
    return root && (*root)->is_number() && (*root)->text.size() == text.size();
}

}  // namespace standings::cli
