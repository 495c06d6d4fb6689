#include "cli/import/row_reader.h"

#include <algorithm>
#include <utility>

#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using Kind = FieldTarget::Kind;

// The server's bounds; it refuses what passes here wrongly.
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxMetaBytes = 2048;
// More of a value than this is not shown in a reason.
constexpr std::size_t kMaxShown = 60;

Error invalid(std::string detail) {
    return {ErrorCode::kInvalid, std::move(detail)};
}

std::string shown(std::string_view text) {
    if (text.size() <= kMaxShown) return "'" + std::string(text) + "'";
    return "'" + std::string(text.substr(0, kMaxShown)) + "...'";
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

constexpr unsigned bit_of(FieldTarget target) {
    return target.kind == Kind::kScore ? 1U << (8 + target.column)
                                       : 1U << static_cast<unsigned>(target.kind);
}

constexpr unsigned score_bits(std::size_t columns) {
    return ((1U << columns) - 1) << 8;
}

char delimiter_of(FileFormat format) {
    return static_cast<char>(syntax_of(format));
}

// Of a header row that is one field only where `delimiter` parts them: what parts them really.
std::string_view likely_separator(std::string_view header, char delimiter) {
    constexpr std::pair<char, std::string_view> kSeparators[] = {
        {';', ";"}, {'\t', "tab"}, {'|', "|"}, {',', ","}};
    for (const auto& [character, name] : kSeparators) {
        if (character != delimiter && header.find(character) != std::string_view::npos) return name;
    }
    return {};
}

}  // namespace

RecordCutter::Syntax syntax_of(FileFormat format) {
    switch (format) {
        case FileFormat::kNdjson:
            return RecordCutter::Syntax::kLines;
        case FileFormat::kCsv:
            return RecordCutter::Syntax::kCommas;
        case FileFormat::kTsv:
            return RecordCutter::Syntax::kTabs;
        case FileFormat::kSemicolons:
            return RecordCutter::Syntax::kSemicolons;
        case FileFormat::kBars:
            return RecordCutter::Syntax::kBars;
    }
    return RecordCutter::Syntax::kLines;
}

Result<void> split_fields(std::string_view record, char delimiter, std::string& unquoted,
                          std::vector<std::string_view>& fields) {
    fields.clear();
    unquoted.clear();
    unquoted.reserve(record.size());  // so that views into it stay
    std::size_t at = 0;
    while (true) {
        if (at == record.size() || record[at] != '"') {
            const std::size_t end = std::min(record.find(delimiter, at), record.size());
            fields.push_back(record.substr(at, end - at));
            at = end;
        } else {
            const std::size_t begin = unquoted.size();
            for (++at;; at += 2) {
                const std::size_t quote = record.find('"', at);
                if (quote == std::string_view::npos) {
                    return invalid("A quote that opens a field is never closed.");
                }
                unquoted += record.substr(at, quote - at);
                at = quote;
                if (at + 1 == record.size() || record[at + 1] != '"') break;
                unquoted += '"';
            }
            ++at;
            fields.push_back(std::string_view(unquoted).substr(begin));
            if (at < record.size() && record[at] != delimiter) {
                return invalid(
                    "There is text behind a closing quote; a quote inside a quoted field is "
                    "written twice.");
            }
        }
        if (at == record.size()) return {};
        ++at;
    }
}

void append_submission(std::string& out, const ImportRow& row,
                       const std::vector<ranking::Column>& columns) {
    out += "{\"player\":\"";
    out += row.player;  // nothing in an id needs an escape
    if (columns.size() == 1) {
        out += "\",\"score\":";
        ranking::append_units(out, row.scores.units[0], columns[0].decimals);
    } else {
        out += "\",\"scores\":{";
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (i > 0) out += ',';
            text::append_key(out, columns[i].name);
            ranking::append_units(out, row.scores.units[i], columns[i].decimals);
        }
        out += '}';
    }
    if (row.clears_name) {
        out += ",\"name\":null";
    } else if (!row.name.empty()) {
        out += ',';
        text::append_member(out, "name", row.name);
    }
    if (!row.meta.empty()) {
        out += ",\"meta\":";
        out += row.meta;
    }
    if (row.occurred_at != base::kNever) {
        out += ",\"occurred_at\":\"";
        base::append_rfc3339(out, row.occurred_at);
        out += '"';
    }
    out += "}\n";
}

Result<void> RowReader::read_header(std::string_view record) {
    header_.clear();
    const auto split = split_fields(record, delimiter_of(format_), unquoted_, fields_);
    if (!split) {
        return Error{ErrorCode::kSettings, "The header row is wrong: " + split.error().detail};
    }
    std::string names;
    for (const std::string_view field : fields_) {
        if (!text::is_utf8(field))
            return Error{ErrorCode::kSettings, "The header row is not UTF-8. Convert the file."};
        names += (names.empty() ? "" : ", ") + std::string(trimmed(field));
    }
    if (const auto separator = likely_separator(names, delimiter_of(format_));
        fields_.size() == 1 && !separator.empty()) {
        const std::string word(separator);
        return Error{ErrorCode::kSettings, "The header row " + shown(names) +
                                               " is one field, but its separator seems to be " +
                                               (word == "tab" ? "a tab" : "'" + word + "'") +
                                               ". Say so with --separator " +
                                               (word == "tab" ? word : "'" + word + "'")};
    }
    for (const Renaming& renaming : map_.renamings()) {
        const bool there = std::any_of(fields_.begin(), fields_.end(), [&](std::string_view field) {
            return trimmed(field) == renaming.from;
        });
        if (!there) {
            return Error{ErrorCode::kSettings,
                         "--map names '" + renaming.from + "', but the file has only: " + names};
        }
    }
    const bool any_known = std::any_of(fields_.begin(), fields_.end(), [&](std::string_view field) {
        return map_.likely_target_of(trimmed(field)).has_value();
    });
    if (!any_known) {
        return Error{ErrorCode::kSettings,
                     "The first row says what the columns are, like player,score, and " +
                         shown(names) +
                         " names nothing that the board knows. Put such a row in front, or say "
                         "what these are with --map FROM=TO,..."};
    }
    seen_ = 0;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        const std::string_view name = trimmed(fields_[i]);
        const auto target = map_.target_of(name);
        if (!target) return map_.unknown(name);
        const bool is_second =
            std::any_of(fields_.begin(), fields_.begin() + static_cast<std::ptrdiff_t>(i),
                        [&](std::string_view earlier) { return trimmed(earlier) == name; });
        if (is_second && target->kind != Kind::kIgnored) {
            return Error{ErrorCode::kSettings, "The header has two columns '" + std::string(name) +
                                                   "'. Give one another name in the file"};
        }
        if (target->kind == Kind::kScores) {
            return Error{ErrorCode::kSettings,
                         "A column cannot hold all `scores`: name one column for each."};
        }
        if (const auto once = expect_once(*target); !once) {
            return Error{ErrorCode::kSettings, once.error().detail};
        }
        header_.push_back(*target);
    }
    std::vector<FieldTarget> needed = {{Kind::kPlayer}};
    for (std::size_t i = 0; i < map_.columns().size(); ++i) needed.push_back({Kind::kScore, i});
    for (const FieldTarget target : needed) {
        if ((seen_ & bit_of(target)) != 0) continue;
        const std::string name = map_.name_of(target);
        return Error{ErrorCode::kSettings, "The file has no column '" + name + "', but: " + names +
                                               ". Say which one it is with --map COLUMN=" + name};
    }
    return {};
}

Result<const ImportRow*> RowReader::read(const Record& record) {
    if (record.too_long) return invalid("The row is longer than 64 KiB.");
    row_ = {};
    seen_ = 0;
    const auto read =
        format_ == FileFormat::kNdjson ? read_object(record.text) : read_fields(record.text);
    if (!read) return read.error();
    if ((seen_ & bit_of({Kind::kPlayer})) == 0) return invalid("The row has no `player`.");
    const auto& columns = map_.columns();
    if ((seen_ & score_bits(columns.size())) != score_bits(columns.size())) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if ((seen_ & bit_of({Kind::kScore, i})) == 0)
                return invalid("The row has no `" + columns[i].name + "`.");
        }
    }
    return &row_;
}

Result<void> RowReader::expect_once(FieldTarget target) {
    if (target.kind == Kind::kIgnored) return {};
    const unsigned bit = bit_of(target);
    if ((seen_ & bit) != 0) {
        return invalid("Two columns are `" + map_.name_of(target) +
                       "`. Ignore one with --map COLUMN=");
    }
    seen_ |= bit;
    return {};
}

// --- NDJSON -----------------------------------------------------------------------------------

Result<void> RowReader::read_object(std::string_view record) {
    const auto root = json_.parse(record);
    if (!root) return root.error();
    if (!(*root)->is_object()) return invalid("The line is no JSON object.");
    for (auto at = (*root)->first; at != 0; at = json_.node(at).next) {
        const text::JsonNode& node = json_.node(at);
        const auto target = map_.target_of(node.key);
        if (!target) return map_.unknown(node.key);
        if (target->kind == Kind::kIgnored) continue;
        if (const auto once = expect_once(*target); !once) return once.error();
        if (const auto taken = take_member(*target, node); !taken) return taken.error();
    }
    return {};
}

Result<void> RowReader::take_member(FieldTarget target, const text::JsonNode& node) {
    switch (target.kind) {
        case Kind::kIgnored:
            return {};
        case Kind::kPlayer:
            // Many systems number their players.
            if (!node.is_string() && !node.is_number())
                return invalid("The player is a text or a number.");
            return take_player(node.text);
        case Kind::kScore:
            if (!node.is_number()) {
                const std::string value = node.is_string() ? shown(node.text) + ", " : "";
                return invalid("`" + map_.name_of(target) + "` is " + value +
                               "not a JSON number, which has no quotes.");
            }
            return take_score(target.column, node.text);
        case Kind::kScores:
            return take_scores(node);
        case Kind::kName:
            if (node.is_null()) return row_.clears_name = true, Result<void>{};
            if (!node.is_string()) return invalid("`name` is a text.");
            return take_name(node.text);
        case Kind::kMeta:
            return take_meta(node);
        case Kind::kOccurredAt:
            if (!node.is_string())
                return invalid("`occurred_at` is a text like \"2026-11-21T00:15:00Z\".");
            return take_time(node.text);
    }
    return {};
}

Result<void> RowReader::take_scores(const text::JsonNode& node) {
    if (!node.is_object()) return invalid("`scores` is an object with every column.");
    const auto& columns = map_.columns();
    for (auto at = node.first; at != 0; at = json_.node(at).next) {
        const text::JsonNode& member = json_.node(at);
        std::size_t column = 0;
        while (column < columns.size() && columns[column].name != member.key) ++column;
        if (column == columns.size()) {
            return invalid("`scores` names '" + std::string(member.key) +
                           "', which is no column of the board.");
        }
        const FieldTarget target{Kind::kScore, column};
        if (const auto once = expect_once(target); !once) return once.error();
        if (const auto taken = take_member(target, member); !taken) return taken.error();
    }
    return {};
}

Result<void> RowReader::take_meta(const text::JsonNode& node) {
    if (node.is_null()) return row_.meta = "null", Result<void>{};
    if (!node.is_object()) return invalid("`meta` is a JSON object.");
    json_.write(node, row_.meta);
    if (row_.meta.size() > kMaxMetaBytes) return invalid("`meta` is larger than 2 KiB.");
    return {};
}

// --- CSV and TSV ------------------------------------------------------------------------------

Result<void> RowReader::read_fields(std::string_view record) {
    const auto split = split_fields(record, delimiter_of(format_), unquoted_, fields_);
    if (!split) return split.error();
    if (fields_.size() != header_.size()) {
        return invalid("The row has " + std::to_string(fields_.size()) +
                       " fields, the header has " + std::to_string(header_.size()) + ".");
    }
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (const auto taken = take_text(header_[i], fields_[i]); !taken) return taken.error();
    }
    return {};
}

// An empty field of what may be absent is absent.
Result<void> RowReader::take_text(FieldTarget target, std::string_view text) {
    switch (target.kind) {
        case Kind::kIgnored:
        case Kind::kScores:
            return {};
        case Kind::kPlayer:
            seen_ |= bit_of(target);
            return take_player(trimmed(text));
        case Kind::kScore:
            seen_ |= bit_of(target);
            return take_score(target.column, trimmed(text));
        case Kind::kName:
            return take_name(text);
        case Kind::kMeta: {
            if (trimmed(text).empty()) return {};
            const auto root = json_.parse(text);
            if (!root) return invalid("`meta`: " + root.error().detail);
            return take_meta(**root);
        }
        case Kind::kOccurredAt:
            if (trimmed(text).empty()) return {};
            return take_time(trimmed(text));
    }
    return {};
}

// --- values -----------------------------------------------------------------------------------

Result<void> RowReader::take_player(std::string_view text) {
    if (!text::is_player_id(text)) {
        return invalid("The player " + shown(text) +
                       " is no id: it has 1 to 128 of A-Z, a-z, 0-9 and . _ : @ -");
    }
    row_.player = text;
    return {};
}

Result<void> RowReader::take_score(std::size_t column, std::string_view number) {
    const auto units = ranking::parse_units(number, map_.columns()[column].decimals);
    if (!units) {
        return invalid("`" + map_.columns()[column].name + "` is " + shown(number) + ". " +
                       units.error().detail +
                       (number.find(',') != std::string_view::npos
                            ? " No commas: decimals follow a point."
                            : ""));
    }
    row_.scores.units[column] = *units;
    return {};
}

// A name of nothing but blanks is absent.
Result<void> RowReader::take_name(std::string_view text) {
    if (trimmed(text).empty()) return {};
    if (!text::is_utf8(text)) return invalid("The name is not UTF-8.");
    auto name = text::clean_name(text, kMaxName);
    if (!name) return invalid("`name`: " + name.error().detail);
    row_.name = *std::move(name);
    return {};
}

Result<void> RowReader::take_time(std::string_view text) {
    const auto at = base::parse_rfc3339(text);
    if (!at) {
        return invalid("`occurred_at` is " + shown(text) +
                       ", not a time like 2026-11-21T00:15:00Z.");
    }
    row_.occurred_at = *at;
    return {};
}

}  // namespace standings::cli
