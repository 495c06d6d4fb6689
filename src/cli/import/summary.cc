#include "cli/import/summary.h"

#include <cstdio>

#include "cli/cells.h"
#include "cli/import/progress.h"
#include "cli/terminal.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

std::string rate_of(const ImportSummary& summary) {
    const double rate =
        summary.seconds > 0 ? static_cast<double>(summary.rows) / summary.seconds : 0;
    return std::to_string(static_cast<std::uint64_t>(rate));
}

std::string seconds_of(const ImportSummary& summary) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", summary.seconds);
    return text;
}

void append_count(std::string& out, const char* name, std::uint64_t count) {
    out += ',';
    text::append_key(out, name);
    text::append_number(out, count);
}

void print_json(const ImportSummary& summary) {
    std::string out = "{";
    text::append_member(out, "board", summary.board);
    out += summary.dry_run ? ",\"dry_run\":true" : ",\"dry_run\":false";
    append_count(out, "rows", summary.rows);
    append_count(out, summary.dry_run ? "valid" : "accepted", summary.accepted);
    append_count(out, "rejected", summary.rejected);
    append_count(out, "already_there", summary.already_there);
    if (!summary.dry_run) append_count(out, "seq", summary.seq);
    out += ",\"seconds\":" + seconds_of(summary) + ",\"rows_per_second\":" + rate_of(summary);
    if (summary.in_file > 0) {
        out += ',';
        text::append_member(out, "rejects", summary.rejects_path);
    }
    if (summary.unnamed() > 0) append_count(out, "unnamed", summary.unnamed());
    if (summary.from_redis) append_count(out, "rounded", summary.rounded);
    if (!summary.checksum.empty()) {
        out += ',';
        text::append_member(out, "checksum", summary.checksum);
        out += summary.mismatch.empty() ? ",\"matches\":true" : ",\"matches\":false";
    }
    if (summary.dry_run) {
        out += ",\"first_rows\":[";
        for (const auto& row : summary.first_rows) {
            if (&row != &summary.first_rows.front()) out += ',';
            out += row.json;
        }
        out += ']';
    }
    std::printf("%s}\n", out.c_str());
}

void print_line(const char* name, const std::string& value) {
    std::printf("%-14s %s\n", name, value.c_str());
}

void print_table(const ImportSummary& summary) {
    for (const auto& row : summary.first_rows) {
        std::printf("line %llu: %s\n", static_cast<unsigned long long>(row.line),
                    printable_json(row.json).c_str());
    }
    print_line("board", summary.board + (summary.dry_run ? " (dry run: nothing was sent)" : ""));
    print_line("rows", grouped(summary.rows));
    print_line(summary.dry_run ? "valid" : "accepted", grouped(summary.accepted));
    std::string rejected = grouped(summary.rejected);
    if (summary.in_file > 0) rejected += " (see " + summary.rejects_path + ")";
    if (summary.unnamed() > 0)
        rejected += "; " + grouped(summary.unnamed()) +
                    " of them the server refused while a connection was cut, or in an earlier run "
                    "whose files of rejects are not here, and it does not repeat which";
    print_line("rejected", rejected);
    if (!summary.dry_run) print_line("already there", grouped(summary.already_there));
    if (summary.from_redis) print_line("rounded", grouped(summary.rounded));
    print_line("seconds", seconds_of(summary));
    print_line("rows/s", rate_of(summary));
    if (!summary.checksum.empty()) {
        print_line("checksum",
                   summary.checksum + (summary.mismatch.empty() ? ", the same on the board" : ""));
    }
}

}  // namespace

void print_summary(const ImportSummary& summary, bool as_json) {
    as_json ? print_json(summary) : print_table(summary);
    std::fflush(stdout);
    if (!summary.mismatch.empty()) complain(summary.mismatch);
}

}  // namespace standings::cli
