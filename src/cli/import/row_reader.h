// Makes submissions of records, and says what is wrong with those that are none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/import/field_map.h"
#include "cli/import/record_cutter.h"
#include "ranking/score.h"
#include "text/json_document.h"

namespace standings::cli {

// Their order is part of an import's key.
enum class FileFormat : std::uint8_t { kNdjson, kCsv, kTsv, kSemicolons, kBars };
RecordCutter::Syntax syntax_of(FileFormat format);

// Splits one record of CSV or TSV by RFC 4180 into `fields`, whose texts live in `record` or, where
// a quote was doubled, in `unquoted`. Fails with kInvalid.
base::Result<void> split_fields(std::string_view record, char delimiter, std::string& unquoted,
                                std::vector<std::string_view>& fields);

// One row as understood.
struct ImportRow {
    std::string_view player;
    ranking::Scores scores;
    std::string name;          // in normal form; empty: none is said
    bool clears_name = false;  // an explicit null
    std::string meta;          // compact JSON; empty: none is said
    base::Instant occurred_at = base::kNever;
};

// Appends the row as a line of the submission API, with its line end.
void append_submission(std::string& out, const ImportRow& row,
                       const std::vector<ranking::Column>& columns);

// Reads the records of one file. The server checks the same again; what is found here costs no
// request. Owner and thread: one pass over a file. ~1 us a row.
class RowReader {
  public:
    RowReader(FileFormat format, const FieldMap& map) : format_(format), map_(map) {}

    // CSV and TSV: the first record, which names the columns. Fails with kSettings and what to do.
    base::Result<void> read_header(std::string_view record);

    // The row in `record`; it lives as long as the record and until the next call. Fails with
    // kInvalid or kMalformed where the row is wrong, kSettings where a member means nothing.
    base::Result<const ImportRow*> read(const Record& record);

  private:
    base::Result<void> read_object(std::string_view record);
    base::Result<void> read_fields(std::string_view record);
    base::Result<void> take_member(FieldTarget target, const text::JsonNode& node);
    base::Result<void> take_text(FieldTarget target, std::string_view text);
    base::Result<void> take_player(std::string_view text);
    base::Result<void> take_score(std::size_t column, std::string_view number);
    base::Result<void> take_scores(const text::JsonNode& node);
    base::Result<void> take_name(std::string_view text);
    base::Result<void> take_meta(const text::JsonNode& node);
    base::Result<void> take_time(std::string_view text);
    base::Result<void> expect_once(FieldTarget target);

    FileFormat format_;
    const FieldMap& map_;
    std::vector<FieldTarget> header_;

    ImportRow row_;
    unsigned seen_ = 0;  // one bit for each kind, and for each column
    text::JsonDocument json_;
    std::string unquoted_;
    std::vector<std::string_view> fields_;
};

}  // namespace standings::cli
