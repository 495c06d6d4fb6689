#include "cli/listing.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/check.h"
#include "cli/cells.h"
#include "cli/terminal.h"

namespace standings::cli {
namespace {

// The value at "a.b.c"; none where a member is missing.
const text::JsonNode* find(const text::JsonDocument& document, const text::JsonNode& root,
                           std::string_view path) {
    const text::JsonNode* at = &root;
    while (!path.empty()) {
        const std::size_t dot = path.find('.');
        if (!at->is_object()) return nullptr;
        at = document.member(*at, path.substr(0, dot));
        if (at == nullptr) return nullptr;
        path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
    }
    return at;
}

std::string text_of(const text::JsonDocument& document, const text::JsonNode* node) {
    if (node == nullptr || node->is_null()) return {};
    if (node->is_string() || node->is_number()) return std::string(node->text);
    std::string out;
    document.write(*node, out);
    return out;
}

std::string upper(std::string text) {
    for (char& c : text) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

}  // namespace

Format format_named(std::string_view word) {
    if (word == "json") return Format::kJson;
    if (word == "ndjson") return Format::kNdjson;
    if (word == "csv") return Format::kCsv;
    CHECK(word == "table");
    return Format::kTable;
}

void append_csv_field(std::string& out, std::string_view field) {
    const bool is_plain = field.find_first_of(",\"\r\n") == std::string_view::npos &&
                          !field.starts_with(' ') && !field.ends_with(' ');
    if (is_plain) {
        out += field;
        return;
    }
    out += '"';
    for (const char c : field) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

void Listing::add(const text::JsonDocument& document, const text::JsonNode& row) {
    document.write(row, rows_.emplace_back());
}

void Listing::add(std::string row) {
    rows_.push_back(std::move(row));
}

std::vector<std::string> Listing::cells_of(const std::string& row) const {
    text::JsonDocument document;
    const auto root = document.parse(row);
    CHECK(root);
    std::vector<std::string> cells;
    for (const ListColumn& column : columns_) {
        cells.push_back(text_of(document, find(document, **root, column.path)));
    }
    return cells;
}

std::string Listing::shown_as(Format format, std::string_view whole, const TableLook& look) const {
    std::string out;
    switch (format) {
        case Format::kJson:
            out = whole;
            if (!out.ends_with('\n')) out += '\n';
            return out;
        case Format::kNdjson:
            for (const std::string& row : rows_) out += row + '\n';
            return out;
        case Format::kCsv: {
            const auto append_line = [&out](const std::vector<std::string>& fields) {
                for (std::size_t i = 0; i < fields.size(); ++i) {
                    if (i > 0) out += ',';
                    append_csv_field(out, fields[i]);
                }
                out += "\r\n";
            };
            std::vector<std::string> names;
            for (const ListColumn& column : columns_) names.push_back(column.path);
            append_line(names);
            for (const std::string& row : rows_) append_line(cells_of(row));
            return out;
        }
        case Format::kTable:
            break;
    }
    std::vector<TableColumn> columns;
    for (const ListColumn& column : columns_) {
        if (column.in_table) columns.push_back({upper(column.title), column.kind});
    }
    std::vector<std::vector<std::string>> lines;
    for (const std::string& row : rows_) {
        auto cells = cells_of(row);
        auto& line = lines.emplace_back();
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (columns_[i].in_table) line.push_back(std::move(cells[i]));
        }
    }
    return table(columns, std::move(lines), look);
}

base::Result<void> Listing::print(Format format, std::string_view whole) const {
    const bool on_terminal = is_terminal(STDOUT_FILENO);
    std::string out = shown_as(format, whole,
                               {.width = width_of_terminal(STDOUT_FILENO),
                                .bold_head = takes_colour(STDOUT_FILENO),
                                .isolates = on_terminal});
    if (on_terminal && (format == Format::kJson || format == Format::kNdjson)) {
        out = printable_json(out);
    }
    if (on_terminal && format == Format::kCsv) {
        std::string safe;
        for (std::string_view rest = out; !rest.empty();) {
            const std::size_t end = rest.find("\r\n");
            safe += printable(rest.substr(0, end)) + "\r\n";
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
        }
        out = std::move(safe);
    }
    return print_out(out);
}

base::Result<void> print_out(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
        std::fflush(stdout) != 0) {
        return base::Error{base::ErrorCode::kIo,
                           "cannot write to standard output: " + std::string(std::strerror(errno))};
    }
    return {};
}

}  // namespace standings::cli
