// Cuts text into records: lines, or rows whose quoted fields may hold line ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace standings::cli {

// One record as it stands in the file, without its line end.
struct Record {
    std::string_view text;
    std::uint64_t line = 0;  // of its first character, from 1 on
    bool too_long = false;   // `text` is only how it begins
};

// A record of more bytes than this is too long; reading goes on behind the next line end.
inline constexpr std::size_t kMaxRecordBytes = 64 * 1024;

// Takes a file in pieces of any size and gives its records, always the same ones however it was
// cut. A byte order mark at the beginning is dropped. Memory: the largest piece and one record.
class RecordCutter {
  public:
    // Lines, or rows whose fields have this between them.
    enum class Syntax : char {
        kLines = '\n',
        kCommas = ',',
        kTabs = '\t',
        kSemicolons = ';',
        kBars = '|'
    };

    explicit RecordCutter(Syntax syntax) : syntax_(syntax) {}

    // Records given before are gone.
    void feed(std::string_view piece);
    // No more pieces: what is left is the last record.
    void end() { ended_ = true; }
    // The next record; none when more has to be fed, or at the end. It lives until the next call.
    std::optional<Record> next();

  private:
    // Where in a row the next character stands.
    enum class State : std::uint8_t { kFieldStart, kPlain, kQuoted, kQuoteSeen };

    bool skip_mark();
    std::optional<std::size_t> find_end();
    std::optional<std::size_t> find_row_end();
    void start_skipping();
    std::optional<Record> skip_rest();
    Record take(std::size_t end, std::size_t next_begin);

    Syntax syntax_;
    std::string text_;
    std::size_t begin_ = 0;  // of the record under way
    std::size_t scan_ = 0;   // looked at up to here
    State state_ = State::kFieldStart;
    bool started_ = false;
    bool ended_ = false;
    std::uint64_t line_ = 1;          // of begin_
    std::uint64_t lines_inside_ = 0;  // line ends inside the record under way
    bool skipping_ = false;
    std::string head_;  // of a record that is too long
};

}  // namespace standings::cli
