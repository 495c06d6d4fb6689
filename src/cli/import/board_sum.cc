#include "cli/import/board_sum.h"

#include <cstdio>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "cli/command.h"
#include "text/json_document.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

std::uint64_t hash_of(std::string_view player, const ranking::Scores& scores) {
    std::uint64_t hash = base::hash64(player);
    for (const std::int64_t units : scores.units)
        hash = base::chain_after(hash, 0) ^ static_cast<std::uint64_t>(units);
    return base::chain_after(hash, 0);
}

// Adds a page's rows; none: this is no page.
std::optional<std::string> add_page(const text::JsonDocument& json, const text::JsonNode& root,
                                    const std::vector<ranking::Column>& columns, BoardSum& sum) {
    const text::JsonNode* rows = json.member(root, "rows");
    if (rows == nullptr) return std::nullopt;
    for (auto at = rows->first; at != 0; at = json.node(at).next) {
        const text::JsonNode& row = json.node(at);
        const text::JsonNode* player = json.member(row, "player");
        const text::JsonNode* values = json.member(row, "scores");
        if (player == nullptr) return std::nullopt;
        ranking::Scores scores;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const text::JsonNode* value = columns.size() == 1 ? json.member(row, "score")
                                          : values != nullptr
                                              ? json.member(*values, columns[i].name)
                                              : nullptr;
            if (value == nullptr) return std::nullopt;
            const auto units = ranking::parse_units(value->text, columns[i].decimals);
            if (!units) return std::nullopt;
            scores.units[i] = *units;
        }
        sum.add(player->text, scores);
    }
    const text::JsonNode* next = json.member(root, "next_cursor");
    return next != nullptr ? std::string(next->text) : std::string();
}

}  // namespace

void BoardSum::add(std::string_view player, const ranking::Scores& scores) {
    ++count_;
    sum_ += hash_of(player, scores);
}

void BoardSum::take_away(std::string_view player, const ranking::Scores& scores) {
    --count_;
    sum_ -= hash_of(player, scores);
}

std::string BoardSum::checksum() const {
    char text[17];
    std::snprintf(text, sizeof text, "%016lx", static_cast<unsigned long>(sum_));
    return text;
}

Result<BoardSum> sum_of_board(HttpClient& client, const std::string& board,
                              const std::vector<ranking::Column>& columns,
                              const std::function<void(std::uint64_t)>& on_page) {
    BoardSum sum;
    text::JsonDocument json;
    std::string cursor;
    do {
        std::string target = board_path(board, "/standings?limit=1000");
        if (!cursor.empty()) target += "&cursor=" + escaped(cursor);
        const auto answer = client.send({.target = std::move(target)});
        if (!answer) return answer.error();
        if (!answer->is_ok()) return error_of(*answer);
        const auto root = json.parse(answer->body);
        auto next = root ? add_page(json, **root, columns, sum) : std::nullopt;
        if (!next) {
            return Error{ErrorCode::kIo,
                         "a page of " + client.server() + " is not one of standings"};
        }
        cursor = *std::move(next);
        on_page(sum.count());
    } while (!cursor.empty());
    return sum;
}

}  // namespace standings::cli
