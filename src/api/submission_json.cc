#include "api/submission_json.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxMetaBytes = 2048;
constexpr auto kMaxAhead = std::chrono::minutes(5);

Error invalid(std::string pointer, std::string detail) {
    return {ErrorCode::kInvalid, std::move(detail), std::move(pointer)};
}

Result<std::int64_t> read_units(const text::JsonNode& node, const ranking::Column& column,
                                std::string pointer) {
    if (!node.is_number()) return invalid(std::move(pointer), "A score is a JSON number.");
    auto units = ranking::parse_units(node.text, column.decimals);
    if (!units) return invalid(std::move(pointer), units.error().detail);
    return *units;
}

Result<ranking::Scores> read_scores(const text::JsonDocument& document, const text::JsonNode& node,
                                    const ledger::BoardConfig& config) {
    const auto& columns = config.rules.columns;
    const text::JsonNode* score = document.member(node, "score");
    const text::JsonNode* scores = document.member(node, "scores");
    ranking::Scores out;
    if (columns.size() == 1) {
        if (scores != nullptr) {
            return invalid("/scores", "The board has one column: send `score`.");
        }
        if (score == nullptr) return invalid("/score", "The submission needs a `score`.");
        auto units = read_units(*score, columns[0], "/score");
        if (!units) return units.error();
        out.units[0] = *units;
        return out;
    }
    if (score != nullptr) {
        return invalid("/score", "The board has several columns: send `scores`.");
    }
    if (scores == nullptr || !scores->is_object()) {
        return invalid("/scores", "The submission needs `scores`, an object with every column.");
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::string pointer = "/scores/" + columns[i].name;
        const text::JsonNode* column = document.member(*scores, columns[i].name);
        if (column == nullptr) return invalid(pointer, "This column is missing.");
        auto units = read_units(*column, columns[i], pointer);
        if (!units) return units.error();
        out.units[i] = *units;
    }
    std::optional<Error> unknown;
    document.for_each(*scores, [&](const text::JsonNode& member) {
        const bool known =
            std::any_of(columns.begin(), columns.end(),
                        [&](const ranking::Column& column) { return column.name == member.key; });
        if (known || unknown) return;
        unknown = invalid("/scores" + text::pointer_to(member.key),
                          "The board has no column of this name.");
    });
    if (unknown) return *unknown;
    return out;
}

Result<void> read_name(const text::JsonNode& member, engine::EntryChange& change,
                       engine::EntryOperation& operation) {
    if (member.is_null()) {
        change.name.emplace();
        return {};
    }
    if (!member.is_string()) return invalid("/name", "`name` is a text.");
    const auto name = text::clean_name(member.text, kMaxName);
    if (!name) return invalid("/name", name.error().detail);
    change.name = operation.keep(*name);
    return {};
}

Result<void> read_meta(const text::JsonDocument& document, const text::JsonNode& member,
                       engine::EntryChange& change, engine::EntryOperation& operation) {
    if (member.is_null()) {
        change.meta.emplace();
        return {};
    }
    if (!member.is_object()) return invalid("/meta", "`meta` is a JSON object.");
    std::string text;
    document.write(member, text);
    if (text.size() > kMaxMetaBytes) return invalid("/meta", "`meta` is larger than 2 KiB.");
    change.meta = operation.keep(text);
    return {};
}

Result<void> read_occurred_at(const text::JsonNode& member, base::Instant now,
                              engine::EntryChange& change) {
    const auto at = member.is_string() ? base::parse_rfc3339(member.text) : std::nullopt;
    if (!at) {
        return invalid("/occurred_at", "`occurred_at` is a time like 2026-11-21T00:15:00Z.");
    }
    if (at->ms > now.ms + std::chrono::milliseconds(kMaxAhead).count()) {
        return invalid("/occurred_at", "`occurred_at` lies more than 5 minutes ahead.");
    }
    change.occurred_at = *at;
    return {};
}

// Everything but the player.
Result<void> read_rest(const text::JsonDocument& document, const text::JsonNode& node,
                       const SubmissionRules& rules, bool player_allowed,
                       engine::EntryChange& change, engine::EntryOperation& operation) {
    std::optional<Error> failure;
    document.for_each(node, [&](const text::JsonNode& member) {
        if (failure) return;
        Result<void> read;
        if (member.key == "name") {
            read = read_name(member, change, operation);
        } else if (member.key == "meta") {
            read = read_meta(document, member, change, operation);
        } else if (member.key == "occurred_at") {
            read = read_occurred_at(member, rules.now, change);
        } else if (member.key != "score" && member.key != "scores" &&
                   !(player_allowed && member.key == "player") &&
                   !(rules.names_board && member.key == "board")) {
            read = invalid(text::pointer_to(member.key), "This member is not known here.");
        }
        if (!read) failure = read.error();
    });
    if (failure) return *failure;
    auto scores = read_scores(document, node, rules.config);
    if (!scores) return scores.error();
    change.scores = *scores;
    return {};
}

}  // namespace

Result<std::string_view> read_board_name(const text::JsonDocument& document,
                                         const text::JsonNode& node) {
    if (!node.is_object()) {
        return invalid("", "A submission is a JSON object with `board`, `player` and `score`.");
    }
    const text::JsonNode* board = document.member(node, "board");
    if (board == nullptr) {
        return invalid("/board",
                       "The submission needs a `board`, or POST it to the board's own "
                       "/submissions.");
    }
    if (!board->is_string()) return invalid("/board", "`board` is the id of a board, a text.");
    return board->text;
}

Result<engine::EntryChange> read_submission(const text::JsonDocument& document,
                                            const text::JsonNode& node,
                                            const SubmissionRules& rules,
                                            engine::EntryOperation& operation) {
    if (!node.is_object()) {
        return invalid("", "A submission is a JSON object with `player` and `score`.");
    }
    const text::JsonNode* player = document.member(node, "player");
    if (player == nullptr) return invalid("/player", "The submission needs a `player`.");
    if (!player->is_string() || !text::is_player_id(player->text)) {
        return invalid("/player", "A player's id has 1 to 128 of A-Z, a-z, 0-9 and . _ : @ -");
    }
    engine::EntryChange change;
    change.kind = ledger::EventKind::kSubmit;
    const auto read = read_rest(document, node, rules, true, change, operation);
    if (!read) return read.error();
    change.player = operation.keep(player->text);
    return change;
}

Result<engine::EntryChange> read_exact_scores(const text::JsonDocument& document,
                                              const text::JsonNode& node,
                                              const SubmissionRules& rules, std::string_view player,
                                              engine::EntryOperation& operation) {
    if (!node.is_object()) return invalid("", "Send a JSON object with the scores.");
    engine::EntryChange change;
    change.kind = ledger::EventKind::kSet;
    const auto read = read_rest(document, node, rules, false, change, operation);
    if (!read) return read.error();
    change.player = operation.keep(player);
    return change;
}

}  // namespace standings::api
