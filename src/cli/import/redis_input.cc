#include "cli/import/redis_input.h"

#include <cmath>
#include <utility>

#include "cli/import/rejects.h"
#include "cli/stop_request.h"
#include "ranking/score.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::size_t kPieceBytes = 1 << 20;

// How many fraction digits a decimal text has.
std::size_t fraction_of(std::string_view text) {
    const std::size_t point = text.find('.');
    return point == std::string_view::npos ? 0 : text.size() - point - 1;
}

Error too_fine(const std::vector<RedisMember>& members, std::uint8_t decimals) {
    std::uint64_t count = 0;
    const RedisMember* first = nullptr;
    for (const RedisMember& member : members) {
        if (!std::isfinite(member.score)) continue;
        if (fraction_of(shortest_decimal(member.score)) <= decimals) continue;
        if (count++ == 0) first = &member;
    }
    return {ErrorCode::kSettings,
            grouped(count) + " of " + grouped(members.size()) +
                " scores have more decimals than the board's " + std::to_string(decimals) + " (" +
                text::as_utf8(first->member) + " has " + shortest_decimal(first->score) +
                "). Round them with --decimals " + std::to_string(decimals) +
                ", or make a board whose column has more"};
}

}  // namespace

Result<RedisInput> read_redis(const RedisAddress& address, const ranking::Rules& rules,
                              std::optional<std::uint8_t> decimals, Progress& progress) {
    if (rules.columns.size() != 1) {
        return Error{ErrorCode::kSettings,
                     "a sorted set has one score, the board has several columns"};
    }
    const ranking::Column& column = rules.columns[0];
    if (decimals && *decimals > column.decimals) {
        return Error{ErrorCode::kSettings, "--decimals " + std::to_string(*decimals) +
                                               " is more than the board's " +
                                               std::to_string(column.decimals)};
    }
    const RedisOrder order = column.order == ranking::Order::kDescending ? RedisOrder::kHighestFirst
                                                                         : RedisOrder::kLowestFirst;
    const auto members =
        fetch_sorted_set(address, order, [&](std::uint64_t found, std::uint64_t total) {
            progress.tick("read from Redis", {found, total, found, 0});
            return StopRequest::signal() == 0;
        });
    if (!members) return members.error();

    auto spool = make_spool();
    if (!spool) return spool.error();
    std::uint64_t rounded = 0;
    std::string text;
    for (const RedisMember& member : *members) {
        std::string score = shortest_decimal(member.score);
        if (std::isfinite(member.score) &&
            fraction_of(score) > decimals.value_or(column.decimals)) {
            if (!decimals) return too_fine(*members, column.decimals);
            score = round_decimal(score, *decimals);
            ++rounded;
        }
        text += '{';
        text::append_member(text, "player", text::as_utf8(member.member));
        text += ',';
        text::append_key(text, "score");
        // Infinity is no number of JSON; its row is rejected with the text that names it.
        if (std::isfinite(member.score)) {
            text += score;
        } else {
            text::append_json_string(text, score);
        }
        text += "}\n";
        if (text.size() < kPieceBytes) continue;
        if (const auto kept = append_to_spool(*spool, text); !kept) return kept.error();
        text.clear();
    }
    if (const auto kept = append_to_spool(*spool, text); !kept) return kept.error();
    return RedisInput{Input::of_spool(*std::move(spool), "redis"), members->size(), rounded};
}

}  // namespace standings::cli
