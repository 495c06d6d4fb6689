#include "cli/import/record_cutter.h"

#include <utility>

namespace standings::cli {
namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";
// Of a record that is too long this much is shown.
constexpr std::size_t kHeadBytes = 256;

}  // namespace

void RecordCutter::feed(std::string_view piece) {
    text_.erase(0, begin_);
    scan_ -= begin_;
    begin_ = 0;
    text_ += piece;
}

bool RecordCutter::skip_mark() {
    if (started_) return true;
    const bool may_be_mark = kMark.starts_with(std::string_view(text_).substr(0, kMark.size()));
    if (text_.size() < kMark.size() && may_be_mark && !ended_) return false;
    if (text_.starts_with(kMark)) begin_ = scan_ = kMark.size();
    started_ = true;
    return true;
}

std::optional<Record> RecordCutter::next() {
    if (!skip_mark()) return std::nullopt;
    if (skipping_) return skip_rest();
    if (const auto end = find_end()) return take(*end, *end + 1);
    if (skipping_) return skip_rest();
    if (!ended_ || begin_ == text_.size()) return std::nullopt;
    return take(text_.size(), text_.size());
}

// The place of the line end that closes the record. Starts to skip when it grows too long.
std::optional<std::size_t> RecordCutter::find_end() {
    if (syntax_ != Syntax::kLines) return find_row_end();
    const std::size_t end = text_.find('\n', scan_);
    const bool found = end != std::string::npos;
    scan_ = found ? end : text_.size();
    if (scan_ - begin_ <= kMaxRecordBytes) return found ? std::optional(end) : std::nullopt;
    scan_ = begin_ + kMaxRecordBytes;
    start_skipping();
    return std::nullopt;
}

std::optional<std::size_t> RecordCutter::find_row_end() {
    const char delimiter = static_cast<char>(syntax_);
    for (; scan_ < text_.size(); ++scan_) {
        const char c = text_[scan_];
        const bool inside = state_ == State::kQuoted;
        if (c == '\n' && !inside) return scan_;
        if (scan_ - begin_ >= kMaxRecordBytes) {
            start_skipping();
            return std::nullopt;
        }
        if (c == '\n') ++lines_inside_;
        if (c == '"') {
            if (inside) {
                state_ = State::kQuoteSeen;
            } else if (state_ != State::kPlain) {
                state_ = State::kQuoted;  // the first of a field, or the second of a pair
            }
        } else if (!inside) {
            state_ = c == delimiter ? State::kFieldStart : State::kPlain;
        }
    }
    return std::nullopt;
}

void RecordCutter::start_skipping() {
    head_ = text_.substr(begin_, kHeadBytes);
    skipping_ = true;
}

std::optional<Record> RecordCutter::skip_rest() {
    const std::size_t end = text_.find('\n', scan_);
    if (end == std::string::npos && !ended_) {
        begin_ = scan_ = text_.size();
        return std::nullopt;
    }
    begin_ = scan_ = end == std::string::npos ? text_.size() : end + 1;
    const Record record{head_, line_, true};
    line_ += lines_inside_ + 1;
    lines_inside_ = 0;
    state_ = State::kFieldStart;
    skipping_ = false;
    return record;
}

Record RecordCutter::take(std::size_t end, std::size_t next_begin) {
    std::string_view text = std::string_view(text_).substr(begin_, end - begin_);
    if (text.ends_with('\r')) text.remove_suffix(1);
    const Record record{text, line_, false};
    line_ += lines_inside_ + 1;
    lines_inside_ = 0;
    state_ = State::kFieldStart;
    begin_ = scan_ = next_begin;
    return record;
}

}  // namespace standings::cli
