#include "cli/import/field_map.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using Kind = FieldTarget::Kind;

Error wrong(std::string detail) {
    return {ErrorCode::kSettings, std::move(detail)};
}

std::string in_quotes(std::string_view text) {
    return "'" + std::string(text) + "'";
}

std::string in_small_letters(std::string_view text) {
    std::string small(text);
    for (char& c : small) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return small;
}

}  // namespace

Result<std::vector<Renaming>> parse_renamings(std::string_view text) {
    std::vector<Renaming> renamings;
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find(','));
        text.remove_prefix(pair.size() + (pair.size() < text.size() ? 1 : 0));
        const std::size_t equals = pair.rfind('=');
        if (equals == std::string_view::npos || equals == 0) {
            return wrong("--map is from=to, like user=player,pts=score, not " + in_quotes(pair));
        }
        renamings.push_back(
            {std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1))});
    }
    return renamings;
}

Result<FieldMap> FieldMap::make(std::vector<Renaming> renamings,
                                std::vector<ranking::Column> columns) {
    // In whatever order they were given, they say the same.
    std::sort(renamings.begin(), renamings.end(),
              [](const Renaming& a, const Renaming& b) { return a.from < b.from; });
    const auto twice =
        std::adjacent_find(renamings.begin(), renamings.end(),
                           [](const Renaming& a, const Renaming& b) { return a.from == b.from; });
    if (twice != renamings.end()) return wrong("--map names " + in_quotes(twice->from) + " twice");
    FieldMap map(std::move(renamings), std::move(columns));
    for (const Renaming& renaming : map.renamings_) {
        if (renaming.to.empty() || map.meaning_of(renaming.to)) continue;
        std::string known = "player, name, meta, occurred_at";
        for (const ranking::Column& column : map.columns_) known += ", " + column.name;
        return wrong("--map " + renaming.from + "=" + renaming.to +
                     ": the board knows no such thing; it has " + known +
                     ". To ignore the column: --map " + renaming.from + "=");
    }
    return map;
}

std::optional<FieldTarget> FieldMap::meaning_of(std::string_view word) const {
    if (word == "player") return FieldTarget{Kind::kPlayer};
    if (word == "name") return FieldTarget{Kind::kName};
    if (word == "meta") return FieldTarget{Kind::kMeta};
    if (word == "occurred_at") return FieldTarget{Kind::kOccurredAt};
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].name == word) return FieldTarget{Kind::kScore, i};
    }
    // A column whose name is a word of ours is reached through the object.
    if (word.starts_with("scores.")) {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (columns_[i].name == word.substr(7)) return FieldTarget{Kind::kScore, i};
        }
    }
    if (word == "score" && columns_.size() == 1) return FieldTarget{Kind::kScore, 0};
    if (word == "scores") return FieldTarget{Kind::kScores};
    return std::nullopt;
}

std::optional<FieldTarget> FieldMap::target_of(std::string_view source) const {
    for (const Renaming& renaming : renamings_) {
        if (renaming.from != source) continue;
        return renaming.to.empty() ? FieldTarget{Kind::kIgnored} : meaning_of(renaming.to);
    }
    return unless_renamed(source);
}

std::optional<FieldTarget> FieldMap::likely_target_of(std::string_view source) const {
    const auto target = target_of(source);
    return target ? target : meaning_of(in_small_letters(source));
}

std::string FieldMap::text() const {
    std::string text;
    for (const Renaming& renaming : renamings_) {
        const FieldTarget target = *target_of(renaming.from);
        if (target == unless_renamed(renaming.from)) continue;
        text += renaming.from + '=' + std::to_string(static_cast<int>(target.kind)) + ':' +
                std::to_string(target.column) + '\n';
    }
    return text;
}

std::optional<FieldTarget> FieldMap::unless_renamed(std::string_view source) const {
    if (const auto meaning = meaning_of(source)) return meaning;
    // What `standings export` writes beside what it was told.
    constexpr std::string_view kDerived[] = {"rank", "position", "reached_at", "submissions"};
    if (std::find(std::begin(kDerived), std::end(kDerived), source) == std::end(kDerived)) {
        return std::nullopt;
    }
    return FieldTarget{Kind::kIgnored};
}

Error FieldMap::unknown(std::string_view source) const {
    const std::string from(source);
    std::string known = "player, name, meta, occurred_at";
    for (const ranking::Column& column : columns_) known += ", " + column.name;
    const std::string small = in_small_letters(source);
    const std::string to = meaning_of(small) ? small + "'" : "...' (" + known + ")";
    return wrong("The column " + in_quotes(source) +
                 " means nothing here. Say what it is with --map '" + from + "=" + to +
                 ", or ignore it with --map '" + from + "='.");
}

std::string FieldMap::name_of(FieldTarget target) const {
    switch (target.kind) {
        case Kind::kIgnored:
            return "nothing";
        case Kind::kPlayer:
            return "player";
        case Kind::kScore:
            return columns_[target.column].name;
        case Kind::kScores:
            return "scores";
        case Kind::kName:
            return "name";
        case Kind::kMeta:
            return "meta";
        case Kind::kOccurredAt:
            return "occurred_at";
    }
    return {};
}

}  // namespace standings::cli
