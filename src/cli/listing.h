// What a command found, in the form that was asked for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/table.h"
#include "text/json_document.h"

namespace standings::cli {

enum class Format { kTable, kJson, kNdjson, kCsv };
// Of one of the words that a command's --output takes.
Format format_named(std::string_view word);

// A column of a listing, and where its value is in a row.
struct ListColumn {
    std::string title;  // of the table
    std::string path;   // "standing.scores.points": members of members; also the name in CSV
    TableColumn::Kind kind = TableColumn::Kind::kText;
    bool in_table = true;  // false: in CSV only, which has all
};

// Rows of JSON, as the server wrote them: numbers keep their digits whatever the form.
class Listing {
  public:
    explicit Listing(std::vector<ListColumn> columns) : columns_(std::move(columns)) {}

    void add(const text::JsonDocument& document, const text::JsonNode& row);
    // `row` is JSON of our own.
    void add(std::string row);
    std::size_t size() const { return rows_.size(); }

    // As the form has it, ready to be printed. `whole` is what JSON shows: the answer that the rows
    // came from.
    std::string shown_as(Format format, std::string_view whole, const TableLook& look) const;
    // Shows it on standard output; for a terminal, what could do harm is escaped in every form.
    base::Result<void> print(Format format, std::string_view whole) const;

    const std::vector<std::string>& rows() const { return rows_; }

  private:
    std::vector<std::string> cells_of(const std::string& row) const;

    std::vector<ListColumn> columns_;
    std::vector<std::string> rows_;
};

// One field of RFC 4180: quoted where it has to be. A text that a spreadsheet would take for a
// formula stays as it is, for it is data; docs/cli.md says so.
void append_csv_field(std::string& out, std::string_view field);

// Writes all to standard output and flushes it. Fails when that cannot be written.
base::Result<void> print_out(std::string_view text);

}  // namespace standings::cli
