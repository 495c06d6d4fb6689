#include "api/standings_json.h"

#include "api/cursor_text.h"
#include "base/clock.h"
#include "base/short_text.h"
#include "ranking/board.h"
#include "text/json_writer.h"

namespace standings::api {

namespace {

// The fixed parts of a row, an id and the numbers.
constexpr std::size_t kRowBytes = 128 + ranking::kMaxPlayerId + ranking::kMaxScoreText;

void add_units(base::ShortText& text, std::int64_t units, std::uint8_t decimals) {
    text.add(ranking::kMaxScoreText,
             [=](char* at) { return ranking::write_units(at, units, decimals); });
}

}  // namespace

void append_scores(std::string& out, const ledger::BoardConfig& config,
                   const ranking::Scores& scores) {
    const auto& columns = config.rules.columns;
    if (columns.size() == 1) {
        text::append_key(out, "score");
        ranking::append_units(out, scores.units[0], columns[0].decimals);
        return;
    }
    text::append_key(out, "scores");
    for (std::size_t i = 0; i < columns.size(); ++i) {
        out += i == 0 ? '{' : ',';
        text::append_key(out, columns[i].name);
        ranking::append_units(out, scores.units[i], columns[i].decimals);
    }
    out += '}';
}

void append_row(std::string& out, const ledger::BoardConfig& config, const ranking::Row& row,
                std::string_view player, const ledger::Details* details, bool with_meta) {
    char room[kRowBytes];
    base::ShortText text(room);
    // An id needs no escaping.
    text << "{\"rank\":" << row.place.rank.value << ",\"position\":" << row.place.position.value
         << ",\"player\":\"" << player << "\",";
    if (details != nullptr && details->name) {
        text << "\"name\":";
        out += text.view();
        text::append_json_string(out, *details->name);
        text.clear();
        text << ",";
    }
    const auto& columns = config.rules.columns;
    if (columns.size() == 1) {
        text << "\"score\":";
        add_units(text, row.scores.units[0], columns[0].decimals);
    } else {
        out += text.view();
        append_scores(out, config, row.scores);
        text.clear();
    }
    text << ",\"reached_at\":\"";
    text.add(base::kRfc3339Bytes,
             [&](char* at) { return base::write_rfc3339(at, row.reached_at); });
    if ((config.public_meta || with_meta) && details != nullptr && details->meta) {
        text << "\",\"meta\":";
        out += text.view();
        out += *details->meta;
        out += '}';
    } else {
        text << "\"}";
        out += text.view();
    }
}

void append_rows(std::string& out, const engine::Page& page, bool with_meta) {
    out += '[';
    for (std::size_t i = 0; i < page.rows.size(); ++i) {
        if (i > 0) out += ',';
        append_row(out, *page.config, page.rows[i], page.player(i), page.details_of(i), with_meta);
    }
    out += ']';
}

void append_position(std::string& out, std::string_view board, std::string_view epoch,
                     base::Sequence seq, std::size_t total) {
    char room[192];
    base::ShortText text(room);
    text << "\"board\":\"" << board << "\",\"period\":\"all\",\"epoch\":\"" << epoch
         << "\",\"seq\":" << seq.value << ",\"total\":" << total;
    out += text.view();
}

void append_page(std::string& out, std::string_view board, std::string_view epoch,
                 const engine::Page& page, bool cursors, bool with_meta) {
    out += '{';
    append_position(out, board, epoch, page.seq, page.total);
    out += ",\"rows\":";
    append_rows(out, page, with_meta);
    const std::size_t columns = page.config->rules.columns.size();
    if (cursors && page.has_after && !page.rows.empty()) {
        out += ",\"next_cursor\":\"";
        append_cursor(out, engine::Cursor::Direction::kAfter, page.rows.back(), columns);
        out += '"';
    }
    if (cursors && page.has_before && !page.rows.empty()) {
        out += ",\"prev_cursor\":\"";
        append_cursor(out, engine::Cursor::Direction::kBefore, page.rows.front(), columns);
        out += '"';
    }
    out += "}\n";
}

std::string_view outcome_name(ranking::Outcome outcome) {
    switch (outcome) {
        case ranking::Outcome::kCreated:
            return "created";
        case ranking::Outcome::kImproved:
            return "improved";
        case ranking::Outcome::kUnchanged:
            return "unchanged";
        case ranking::Outcome::kAdded:
            return "added";
        case ranking::Outcome::kReplaced:
            return "replaced";
        case ranking::Outcome::kRemoved:
            return "removed";
    }
    return "";
}

void append_receipt(std::string& out, const engine::ChangeOutcome& outcome,
                    const engine::ReceiptReading& reading, std::string_view player,
                    const ledger::Details* details, std::string_view epoch) {
    const ledger::BoardConfig& config = *reading.config;
    out += "{\"outcome\":\"";
    out += outcome_name(outcome.outcome);
    out += "\",\"seq\":";
    text::append_number(out, outcome.seq.value);
    out += ",\"epoch\":\"";
    out += epoch;
    out += '"';
    if (reading.row) {
        out += ",\"standing\":";
        append_row(out, config, *reading.row, player, details);
        out.pop_back();
        out += ",\"seq\":";
        text::append_number(out, reading.seq.value);
        out += '}';
    }
    if (outcome.had_entry) {
        out += ",\"previous\":{";
        if (reading.previous_rank) {
            out += "\"rank\":";
            text::append_number(out, reading.previous_rank->value);
            out += ',';
        }
        append_scores(out, config, outcome.previous);
        out += '}';
    }
    out += ",\"passed\":[";
    for (std::size_t i = 0; i < reading.passed.size(); ++i) {
        out += i == 0 ? "\"" : ",\"";
        out += reading.passed[i];
        out += '"';
    }
    out += ']';
    if (reading.to_next) {
        const auto& [column, units] = *reading.to_next;
        const auto& columns = config.rules.columns;
        out += ",\"to_next\":";
        if (columns.size() > 1) {
            out += '{';
            text::append_key(out, columns[column].name);
        }
        ranking::append_units(out, units, columns[column].decimals);
        if (columns.size() > 1) out += '}';
    }
    out += ",\"total\":";
    text::append_number(out, reading.total);
    out += '}';
}

}  // namespace standings::api
