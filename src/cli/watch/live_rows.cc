#include "cli/watch/live_rows.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace standings::cli {
namespace {

std::optional<std::uint64_t> number_at(const text::JsonDocument& document,
                                       const text::JsonNode& object, std::string_view key) {
    const text::JsonNode* node = document.member(object, key);
    if (node == nullptr || !node->is_number()) return std::nullopt;
    std::uint64_t number = 0;
    const char* const end = node->text.data() + node->text.size();
    const auto [at, failure] = std::from_chars(node->text.data(), end, number);
    return failure == std::errc{} && at == end ? std::optional(number) : std::nullopt;
}

std::string_view text_at(const text::JsonDocument& document, const text::JsonNode& object,
                         std::string_view key) {
    const text::JsonNode* node = document.member(object, key);
    return node != nullptr && node->is_string() ? node->text : std::string_view();
}

using Rows = std::map<std::string, LiveRow, std::less<>>;

bool put_in(const text::JsonDocument& document, const text::JsonNode* rows, Rows& into) {
    if (rows == nullptr || !rows->is_array() || rows->size > LiveRows::kMostRows) return false;
    bool are_rows = true;
    document.for_each(*rows, [&](const text::JsonNode& node) {
        if (!node.is_object()) {
            are_rows = false;
            return;
        }
        const auto rank = number_at(document, node, "rank");
        const auto position = number_at(document, node, "position");
        LiveRow row{.player = std::string(text_at(document, node, "player")),
                    .name = std::string(text_at(document, node, "name")),
                    .rank = rank.value_or(0),
                    .position = position.value_or(0),
                    .json = {}};
        are_rows = are_rows && rank && position && !row.player.empty();
        document.write(node, row.json);
        into.insert_or_assign(row.player, std::move(row));
    });
    return are_rows && into.size() <= LiveRows::kMostRows;
}

bool take_out(const text::JsonDocument& document, const text::JsonNode* players, Rows& from) {
    if (players == nullptr || !players->is_array()) return false;
    bool were_here = true;
    document.for_each(*players, [&](const text::JsonNode& player) {
        const auto found = from.find(player.text);
        if (found == from.end()) {
            were_here = false;
        } else {
            from.erase(found);
        }
    });
    return were_here;
}

}  // namespace

bool LiveRows::apply(const text::JsonDocument& document, const text::JsonNode& message) {
    if (!message.is_object()) return false;
    const std::string_view type = text_at(document, message, "type");
    const auto seq = number_at(document, message, "seq");
    const auto total = number_at(document, message, "total");
    if (!seq || !total) return false;
    Rows rows;
    if (type == "snapshot") {
        if (!put_in(document, document.member(message, "rows"), rows)) return false;
    } else if (type == "delta") {
        if (number_at(document, message, "prev") != seq_) return false;
        rows = rows_;
        if (!take_out(document, document.member(message, "leave"), rows)) return false;
        if (!put_in(document, document.member(message, "upsert"), rows)) return false;
    } else {
        return false;
    }
    rows_ = std::move(rows);
    view_ = text_at(document, message, "view");
    seq_ = *seq;
    total_ = *total;
    return true;
}

std::vector<const LiveRow*> LiveRows::in_order() const {
    std::vector<const LiveRow*> rows;
    for (const auto& [player, row] : rows_) rows.push_back(&row);
    std::sort(rows.begin(), rows.end(), [](const LiveRow* left, const LiveRow* right) {
        return left->position < right->position;
    });
    return rows;
}

const LiveRow* LiveRows::find(std::string_view player) const {
    const auto found = rows_.find(player);
    return found == rows_.end() ? nullptr : &found->second;
}

}  // namespace standings::cli
