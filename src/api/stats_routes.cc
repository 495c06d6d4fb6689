// How the scores of a board are spread.
#include <string>
#include <string_view>

#include "api/routes.h"
#include "api/standings_json.h"
#include "api/view_answers.h"
#include "engine/queries.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::ErrorCode;

void append_units_member(std::string& out, std::string_view key, std::int64_t units,
                         std::uint8_t decimals) {
    text::append_key(out, key);
    ranking::append_units(out, units, decimals);
}

void append_spread(std::string& out, const engine::Spread& spread) {
    const ranking::Column& column = spread.config->rules.columns[0];
    text::append_member(out, "column", column.name);
    out += ",\"count\":";
    text::append_number(out, spread.total);
    if (spread.total > 0) {
        out += ',';
        append_units_member(out, "min", spread.least, column.decimals);
        out += ',';
        append_units_member(out, "max", spread.most, column.decimals);
    }
    out += ",\"quantiles\":{";
    for (std::size_t i = 0; spread.total > 0 && i < spread.quantiles.size(); ++i) {
        if (i > 0) out += ',';
        append_units_member(out, 'p' + std::to_string(engine::Spread::kPercents[i]),
                            spread.quantiles[i], column.decimals);
    }
    out += "},\"histogram\":[";
    for (std::size_t i = 0; i < spread.buckets.size(); ++i) {
        out += i == 0 ? "{" : ",{";
        append_units_member(out, "from", spread.buckets[i].from, column.decimals);
        out += ',';
        append_units_member(out, "below", spread.buckets[i].below, column.decimals);
        out += ",\"count\":";
        text::append_number(out, spread.buckets[i].count);
        out += '}';
    }
    out += ']';
}

void get_stats(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    if (const auto known = call.check_parameters({"column", "buckets", "period", "min_seq"});
        !known) {
        return call.reply.problem(known.error());
    }
    const auto buckets = call.number("buckets", 20, 1, 100);
    if (!buckets) return call.reply.problem(buckets.error());
    if (const auto period = check_period(call); !period) {
        return call.reply.problem(period.error());
    }
    const ViewId view = view_id(call.request.target);
    if (answer_unchanged(call, **board, view)) return;

    const engine::Spread spread = engine::read_spread(**board, static_cast<std::size_t>(*buckets));
    const std::string& first = spread.config->rules.columns[0].name;
    if (call.target.parameter("column").value_or(first) != first) {
        return call.reply.problem(
            {ErrorCode::kInvalid,
             "The board is ordered by its first column, `" + first +
                 "`, and has statistics of that one only. Leave `column` out.",
             "?column"});
    }
    const std::string& epoch = call.service().engine.epoch();
    std::string& body = call.tools().body;
    body.assign("{");
    append_position(body, (*board)->slug(), epoch, spread.seq, spread.total);
    body += ',';
    append_spread(body, spread);
    body += "}\n";
    call.reply.json(
        200, body,
        view_headers(call.tools(), spread.seq, view, *spread.config, with_credential(call)));
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/v1/boards/{board}/stats", access::Scope::kNone, get_stats, true},
};

}  // namespace

std::span<const Route> stats_routes() {
    return kRoutes;
}

}  // namespace standings::api
