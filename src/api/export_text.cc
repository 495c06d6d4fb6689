#include "api/export_text.h"

#include "api/standings_json.h"
#include "base/clock.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

// Quoted where RFC 4180 asks for it.
void append_csv_field(std::string& out, std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

void append_csv_head(std::string& out, const ledger::BoardConfig& config, bool with_meta) {
    out += "rank,position,player,name";
    const auto& columns = config.rules.columns;
    if (columns.size() == 1) {
        out += ",score";
    } else {
        for (const ranking::Column& column : columns) {
            out += ",scores.";
            out += column.name;
        }
    }
    out += ",reached_at,submissions";
    if (with_meta) out += ",meta";
    out += "\r\n";
}

void append_csv_row(std::string& out, const ledger::BoardConfig& config,
                    const engine::ExportedRow& row, bool with_meta) {
    text::append_number(out, row.row.place.rank.value);
    out += ',';
    text::append_number(out, row.row.place.position.value);
    out += ',';
    out += row.player;  // needs no quotes
    out += ',';
    append_csv_field(out, row.name.value_or(""));
    const auto& columns = config.rules.columns;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        out += ',';
        ranking::append_units(out, row.row.scores.units[i], columns[i].decimals);
    }
    out += ',';
    base::append_rfc3339(out, row.row.reached_at);
    out += ',';
    text::append_number(out, row.submissions);
    if (with_meta) {
        out += ',';
        append_csv_field(out, row.meta.value_or(""));
    }
    out += "\r\n";
}

void append_json_row(std::string& out, const ledger::BoardConfig& config,
                     const engine::ExportedRow& row, bool with_meta) {
    ledger::Details details;
    if (row.name) details.name.emplace(*row.name);
    if (row.meta) details.meta.emplace(*row.meta);
    append_row(out, config, row.row, row.player, &details, with_meta);
    out.back() = ',';
    text::append_key(out, "submissions");
    text::append_number(out, row.submissions);
    out += '}';
}

}  // namespace

std::string_view export_content_type(ExportFormat format) {
    switch (format) {
        case ExportFormat::kNdjson:
            return "application/x-ndjson";
        case ExportFormat::kJson:
            return "application/json";
        case ExportFormat::kCsv:
            return "text/csv; charset=utf-8; header=present";
    }
    return "";
}

std::string_view export_extension(ExportFormat format) {
    switch (format) {
        case ExportFormat::kNdjson:
            return "ndjson";
        case ExportFormat::kJson:
            return "json";
        case ExportFormat::kCsv:
            return "csv";
    }
    return "";
}

void append_export_head(std::string& out, ExportFormat format, const ledger::BoardRecord& board,
                        std::string_view epoch, bool with_meta) {
    if (format == ExportFormat::kCsv) return append_csv_head(out, board.config, with_meta);
    if (format == ExportFormat::kNdjson) return;
    out += "{\"board\":\"" + board.slug + "\",\"epoch\":\"";
    out += epoch;
    out += "\",\"seq\":";
    text::append_number(out, board.seq.value);
    out += ",\"rows\":[";
}

void append_export_row(std::string& out, ExportFormat format, const ledger::BoardConfig& config,
                       const engine::ExportedRow& row, bool with_meta) {
    switch (format) {
        case ExportFormat::kCsv:
            return append_csv_row(out, config, row, with_meta);
        case ExportFormat::kJson:
            out += row.row.place.position.value == 1 ? "\n" : ",\n";
            return append_json_row(out, config, row, with_meta);
        case ExportFormat::kNdjson:
            append_json_row(out, config, row, with_meta);
            out += '\n';
            return;
    }
}

void append_export_tail(std::string& out, ExportFormat format) {
    if (format == ExportFormat::kJson) out += "]}\n";
}

}  // namespace standings::api
