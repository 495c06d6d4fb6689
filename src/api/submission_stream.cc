#include "api/submission_stream.h"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/problem.h"
#include "api/standings_json.h"
#include "api/submission_json.h"
#include "base/hash.h"
#include "text/json_document.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;

// Enough to see that a line is too long, with and without a carriage return.
constexpr std::size_t kBeyondLongLine = 2;
// As many as one transaction takes from the bulk lane, those under way included. More make a stream
// alone faster, and single submissions beside it slower.
constexpr std::size_t kMaxLinesQueued = 1024;
constexpr std::size_t kLinesPerOperation = 256;
constexpr std::size_t kMaxProblems = 1000;
constexpr auto kRetryFullLane = std::chrono::milliseconds(5);

class Stream;

// What is to be said about one line, in order.
struct LineFate {
    std::uint64_t line;
    std::optional<Error> refused;  // before it reached the committer
};

// Lines on their way through the committer.
class StreamPiece final : public engine::EntryOperation {
  public:
    StreamPiece(engine::Mailbox& home, std::shared_ptr<Stream> owner)
        : EntryOperation(home), stream_(std::move(owner)) {
        atomic = false;
    }
    void finished() override;

    std::vector<LineFate> fates;

  private:
    std::shared_ptr<Stream> stream_;
};

class StreamStep final : public engine::StreamOperation {
  public:
    StreamStep(engine::Mailbox& home, std::shared_ptr<Stream> owner)
        : StreamOperation(home), stream_(std::move(owner)) {}
    void finished() override;

  private:
    std::shared_ptr<Stream> stream_;
};

// One stream. Shared by the sink that feeds it and the pieces under way. Its loop's thread only.
class Stream : public std::enable_shared_from_this<Stream> {
  public:
    Stream(Reply reply, std::shared_ptr<engine::HostedBoard> board, const StreamOptions& options)
        : reply_(std::move(reply)),
          board_(std::move(board)),
          options_(options),
          columns_version_(board_ ? board_->columns_version() : 0),
          max_line_(reply_.tools().service.limits.max_line_bytes),
          json_(reply_.tools().service.limits.max_depth),
          // The same lines for another board are another stream.
          running_hash_(base::hash64(board_ ? std::string_view(board_->slug()) : "/")) {}

    void open();
    bool take(std::string_view piece);
    void end();
    void abandon();

    void opened(const StreamStep& step);
    void released();
    void piece_done(StreamPiece& piece);

  private:
    bool may_read() const {
        return opened_ && !failure_ && !stalled_ && lines_queued_ < kMaxLinesQueued;
    }
    void read_lines();
    void read_line(std::string_view line);
    bool skip_committed(std::string_view line);
    void note_skipped(std::string_view line);
    base::Result<engine::EntryChange> read_change(std::string_view line, StreamPiece& piece);
    base::Result<std::shared_ptr<engine::HostedBoard>> board_of(const text::JsonNode& root);
    StreamPiece& piece();
    void send_piece(bool complete);
    void push(std::unique_ptr<engine::Operation> operation, std::size_t lines);
    void go_on();
    void finish_if_done();
    void release_key();
    void fail(Error error);

    void tell(std::uint64_t line, const Error& error);
    void tell(std::uint64_t line, const engine::ChangeOutcome& outcome,
              const engine::EntryChange& change);
    void write_out(const std::string& text);
    std::string summary() const;
    void send_summary();
    void append_seqs(std::string& text) const;
    // What a summary says where no line counted.
    base::Sequence position_without_change() const;

    Reply reply_;
    std::shared_ptr<engine::HostedBoard> board_;  // none: each line names its own
    // The board of the line before: most often that of the next one, too.
    std::shared_ptr<engine::HostedBoard> last_board_;
    // By board, where lines name them: a seq that has all that the stream changed there.
    std::map<std::string, base::Sequence, std::less<>> seqs_;
    const StreamOptions options_;
    const std::uint32_t columns_version_;  // of board_ when the stream began
    const std::size_t max_line_;

    text::JsonDocument json_;
    std::string unread_;    // text not yet cut into lines
    bool cutting_ = false;  // the rest of a line that is too long goes past
    bool opened_ = false;
    bool body_ended_ = false;
    bool last_piece_sent_ = false;
    bool client_gone_ = false;
    bool answered_ = false;
    bool key_held_ = false;

    std::unique_ptr<StreamPiece> piece_;
    std::unique_ptr<engine::Operation> stalled_;  // the lane was full: tried again soon
    std::size_t stalled_lines_ = 0;
    std::size_t lines_queued_ = 0;
    std::optional<Error> failure_;

    // Counted since the beginning of the stream, earlier connections included.
    ledger::StreamRecord before_;
    std::uint64_t line_ = 0;
    std::uint64_t lines_sent_ = 0;  // to the committer
    std::uint64_t running_hash_;
    std::uint64_t refused_in_piece_ = 0;
    std::uint64_t accepted_ = 0;
    std::uint64_t rejected_ = 0;
    base::Sequence seq_;

    std::string problems_;
    std::size_t problem_count_ = 0;
    bool begun_ = false;  // the answer, line by line
};

void StreamPiece::finished() {
    stream_->piece_done(*this);
}

void StreamStep::finished() {
    if (step == Step::kOpen) return stream_->opened(*this);
    stream_->released();
}

// --- reading --------------------------------------------------------------------------------

void Stream::open() {
    if (!options_.key) {
        opened_ = true;
        return;
    }
    auto step = std::make_unique<StreamStep>(reply_.tools().mailbox, shared_from_this());
    step->step = engine::StreamOperation::Step::kOpen;
    step->key = *options_.key;
    push(std::move(step), 0);
}

void Stream::opened(const StreamStep& step) {
    if (step.error) {
        fail(*step.error);
    } else {
        key_held_ = true;
        if (step.record) {
            before_ = *step.record;
            lines_sent_ = before_.lines;
            accepted_ = before_.accepted;
            rejected_ = before_.rejected;
            seq_ = before_.seq;
        }
    }
    opened_ = true;
    go_on();
}

bool Stream::take(std::string_view piece) {
    if (cutting_) {
        const std::size_t end = piece.find('\n');
        piece.remove_prefix(std::min(end, piece.size()));
        cutting_ = piece.empty();
    }
    unread_ += piece;
    read_lines();
    finish_if_done();
    return may_read();
}

void Stream::end() {
    body_ended_ = true;
    read_lines();
    finish_if_done();
}

void Stream::abandon() {
    client_gone_ = true;
    unread_.clear();
    piece_.reset();
    finish_if_done();
}

void Stream::read_lines() {
    std::size_t from = 0;
    while (may_read()) {
        const std::size_t end = unread_.find('\n', from);
        const bool last = end == std::string::npos;
        if (last && (!body_ended_ || from == unread_.size())) break;
        std::string_view line =
            std::string_view(unread_).substr(from, last ? std::string_view::npos : end - from);
        from = last ? unread_.size() : end + 1;
        if (line.ends_with('\r')) line.remove_suffix(1);
        read_line(line);
    }
    unread_.erase(0, from);
    if (unread_.size() > max_line_ + kBeyondLongLine && unread_.find('\n') == std::string::npos) {
        unread_.resize(max_line_ + kBeyondLongLine);
        cutting_ = true;
    }
    if (may_read() && body_ended_ && unread_.empty() && !last_piece_sent_) {
        last_piece_sent_ = true;
        const bool short_of_before = line_ < before_.lines;
        if (short_of_before) {
            return fail({ErrorCode::kIdempotencyMismatch,
                         "The stream is shorter than what came with this Idempotency-Key before."});
        }
        send_piece(true);
    } else if (lines_queued_ == 0) {
        // Nothing is under way that more lines could wait for.
        send_piece(false);
    }
}

bool Stream::skip_committed(std::string_view line) {
    // Of a line that is too long the same part counts, however the bytes came.
    running_hash_ = base::hash64(line.substr(0, max_line_), running_hash_);
    if (before_.complete && line_ > before_.lines) {
        fail({ErrorCode::kIdempotencyMismatch,
              "The stream is longer than what came with this Idempotency-Key before. Use a new key "
              "for each stream, and the same one only to repeat it."});
        return true;
    }
    if (line_ > before_.lines) return false;
    if (line_ == before_.lines && running_hash_ != before_.running_hash) {
        fail({ErrorCode::kIdempotencyMismatch,
              "The first " + std::to_string(line_) +
                  " lines are not those that came with this Idempotency-Key before."});
    }
    return true;
}

// What a line did to its board lies at or before where the board is now.
void Stream::note_skipped(std::string_view line) {
    if (board_ || failure_ || line.size() > max_line_) return;
    const auto root = json_.parse(line);
    if (!root) return;
    const auto board = board_of(**root);
    if (board) seqs_.try_emplace((*board)->slug(), (*board)->seq());
}

void Stream::read_line(std::string_view line) {
    ++line_;
    if (skip_committed(line)) return note_skipped(line);
    if (line.find_first_not_of(" \t") == std::string_view::npos) return;

    StreamPiece& piece = this->piece();
    LineFate& fate = piece.fates.emplace_back(LineFate{line_, std::nullopt});
    auto change = read_change(line, piece);
    // Looked at behind the reading: what does not fit columns that came meanwhile is not refused
    // for good.
    if (board_ && board_->columns_version() != columns_version_) {
        return fail({ErrorCode::kRevisionMismatch,
                     "The columns of the board changed while the stream was under way. Read the "
                     "board and send it again."});
    }
    if (change) {
        piece.changes.push_back(*change);
    } else {
        fate.refused = change.error();
        ++refused_in_piece_;
    }
    if (piece.fates.size() >= kLinesPerOperation) send_piece(false);
}

base::Result<engine::EntryChange> Stream::read_change(std::string_view line, StreamPiece& piece) {
    if (line.size() > max_line_) {
        return Error{ErrorCode::kTooLarge, "The line is longer than 64 KiB."};
    }
    const auto root = json_.parse(line);
    if (!root) return root.error();
    const auto board = board_of(**root);
    if (!board) return board.error();

    // In this order: columns that change in between are found out by the committer.
    const std::uint32_t columns_version = (*board)->columns_version();
    const auto config =
        (*board)->read([](const engine::HostedBoard::View& view) { return view.config; });
    auto change = read_submission(json_, **root,
                                  {.config = *config,
                                   .now = reply_.tools().service.engine.clock().now(),
                                   .names_board = board_ == nullptr},
                                  piece);
    if (!change) return change.error();
    change->board = piece.keep(*board);
    change->columns_version = columns_version;
    return *change;
}

base::Result<std::shared_ptr<engine::HostedBoard>> Stream::board_of(const text::JsonNode& root) {
    if (board_) return board_;
    const auto slug = read_board_name(json_, root);
    if (!slug) return slug.error();
    const bool same = last_board_ && last_board_->slug() == *slug && !last_board_->deleted() &&
                      (options_.private_boards || is_public(*last_board_));
    if (same) return last_board_;
    auto board = visible_board(reply_.tools().service, *slug, options_.private_boards);
    if (!board) {
        return Error{board.error().code, board.error().detail, "/board"};
    }
    last_board_ = *board;
    return last_board_;
}

StreamPiece& Stream::piece() {
    if (!piece_) {
        piece_ = std::make_unique<StreamPiece>(reply_.tools().mailbox, shared_from_this());
        piece_->stops_with_board = board_ != nullptr;
    }
    return *piece_;
}

void Stream::send_piece(bool complete) {
    const bool mark_complete = complete && options_.key && !before_.complete;
    if (!piece_ && !mark_complete) return finish_if_done();
    StreamPiece& filled = piece();
    if (options_.key) {
        filled.stream = engine::StreamProgress{.key = *options_.key,
                                               .lines_before = lines_sent_,
                                               .lines = line_,
                                               .running_hash = running_hash_,
                                               .rejected_by_reader = refused_in_piece_,
                                               .complete = complete};
    }
    lines_sent_ = line_;
    refused_in_piece_ = 0;
    const std::size_t lines = filled.fates.size();
    push(std::move(piece_), lines);
}

void Stream::push(std::unique_ptr<engine::Operation> operation, std::size_t lines) {
    Service& service = reply_.tools().service;
    const auto taken = service.engine.submit(operation, engine::EntryOperation::Lane::kBulk, lines);
    if (taken) {
        lines_queued_ += lines;
        return;
    }
    if (taken.error().code != ErrorCode::kOverloaded) return fail(taken.error());
    stalled_ = std::move(operation);
    stalled_lines_ = lines;
    reply_.tools().loop.after(kRetryFullLane, [self = shared_from_this()] {
        if (!self->stalled_) return;
        self->push(std::exchange(self->stalled_, nullptr), self->stalled_lines_);
        self->go_on();
    });
}

void Stream::go_on() {
    if (client_gone_) return finish_if_done();
    read_lines();
    if (may_read() && !body_ended_) reply_.exchange().resume_body();
    finish_if_done();
}

// --- answering ------------------------------------------------------------------------------

void Stream::piece_done(StreamPiece& piece) {
    lines_queued_ -= piece.fates.size();
    if (piece.error) {
        // Nothing of it was done; what came before it was.
        fail(*piece.error);
        return finish_if_done();
    }
    std::size_t next = 0;
    for (const LineFate& fate : piece.fates) {
        if (fate.refused) {
            ++rejected_;
            tell(fate.line, *fate.refused);
            continue;
        }
        const engine::ChangeOutcome& outcome = piece.outcomes[next];
        if (outcome.error) {
            ++rejected_;
            tell(fate.line, *outcome.error);
        } else {
            ++accepted_;
            seq_ = outcome.seq;
            const engine::EntryChange& change = piece.changes[next];
            if (!board_) seqs_[change.board->slug()] = outcome.seq;
            tell(fate.line, outcome, change);
        }
        ++next;
    }
    go_on();
}

void Stream::tell(std::uint64_t line, const Error& error) {
    std::string problem = "{\"line\":";
    text::append_number(problem, line);
    problem += ',';
    std::string item;
    append_problem_item(item, error);
    problem += std::string_view(item).substr(1);
    if (options_.receipts != LineReceipts::kNone) write_out("{\"problem\":" + problem + "}\n");
    if (problem_count_ == kMaxProblems) return;
    if (problem_count_ > 0) problems_ += ',';
    problems_ += problem;
    ++problem_count_;
}

void Stream::tell(std::uint64_t line, const engine::ChangeOutcome& outcome,
                  const engine::EntryChange& change) {
    if (options_.receipts != LineReceipts::kAll || client_gone_) return;
    const engine::ReceiptReading reading =
        engine::read_receipt(*change.board, change.player, outcome);
    engine::SharedDetails details;
    Service& service = reply_.tools().service;
    if (reading.row && reading.row->has_details) {
        details =
            service.engine.details().find({reading.ranking, reading.row->slot}, change.player);
    }
    std::string text = "{\"line\":";
    text::append_number(text, line);
    text += ',';
    if (!board_) text += "\"board\":\"" + change.board->slug() + "\",";
    std::string receipt;
    append_receipt(receipt, outcome, reading, change.player, details ? &details->details : nullptr,
                   service.engine.epoch());
    text += std::string_view(receipt).substr(1);
    text += '\n';
    write_out(text);
}

void Stream::write_out(const std::string& text) {
    if (client_gone_) return;
    if (!std::exchange(begun_, true)) reply_.begin(200, "application/x-ndjson");
    reply_.exchange().write(text);
}

void Stream::fail(Error error) {
    if (failure_) return;
    failure_ = std::move(error);
    unread_.clear();
    piece_.reset();
}

void Stream::finish_if_done() {
    const bool nothing_under_way = lines_queued_ == 0 && !stalled_;
    const bool at_end = last_piece_sent_ && !piece_;
    if (!nothing_under_way || answered_) return;
    if (!opened_ && !failure_) return;
    if (!at_end && !failure_ && !client_gone_) return;
    answered_ = true;
    release_key();
}

// Before the answer, so that whoever has read it may send the key again.
void Stream::release_key() {
    if (!key_held_) return released();
    auto step = std::make_unique<StreamStep>(reply_.tools().mailbox, shared_from_this());
    step->step = engine::StreamOperation::Step::kRelease;
    step->key = *options_.key;
    std::unique_ptr<engine::Operation> operation = std::move(step);
    const auto taken = reply_.tools().service.engine.submit(operation);
    if (taken) return;
    // A draining server forgets its streams anyway.
    if (taken.error().code != ErrorCode::kOverloaded) return released();
    reply_.tools().loop.after(kRetryFullLane, [self = shared_from_this()] { self->release_key(); });
}

void Stream::released() {
    key_held_ = false;
    if (!client_gone_) send_summary();
}

// "summary":{...}
std::string Stream::summary() const {
    std::string text = "\"summary\":{\"lines\":";
    text::append_number(text, accepted_ + rejected_);
    text += ",\"accepted\":";
    text::append_number(text, accepted_);
    text += ",\"rejected\":";
    text::append_number(text, rejected_);
    text += ",\"replayed\":";
    text::append_number(text, before_.accepted + before_.rejected);
    text += ",\"seq\":";
    text::append_number(text, seq_.value > 0 ? seq_.value : position_without_change().value);
    if (!board_) append_seqs(text);
    text += ",\"epoch\":\"" + reply_.tools().service.engine.epoch() + "\"}";
    return text;
}

void Stream::send_summary() {
    // Whoever sent no key has to know what counts already.
    if (failure_ && !begun_) {
        const bool counted = accepted_ + rejected_ > 0;
        return reply_.problem(*failure_, {}, counted ? summary() : "");
    }
    std::string text = "{" + summary();
    if (failure_) {
        text += ",\"problem\":";
        append_problem(text, *failure_, {}, reply_.request_id());
        text.pop_back();
    }
    text += ",\"problems\":[" + problems_ + "]}\n";
    if (begun_) {
        reply_.exchange().write(text);
        return reply_.end();
    }
    const bool replayed = before_.complete;
    reply_.send(200, "application/x-ndjson", text,
                replayed ? "Idempotency-Replayed: true\r\n" : "");
}

base::Sequence Stream::position_without_change() const {
    return board_ ? board_->seq() : reply_.tools().service.engine.applied_seq();
}

void Stream::append_seqs(std::string& text) const {
    text += ",\"seqs\":{";
    bool first = true;
    for (const auto& [slug, seq] : seqs_) {
        if (!std::exchange(first, false)) text += ',';
        text::append_key(text, slug);
        text::append_number(text, seq.value);
    }
    text += '}';
}

// --- the sink -------------------------------------------------------------------------------

class StreamSink final : public net::BodySink {
  public:
    explicit StreamSink(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}
    bool on_body(std::string_view piece) override { return stream_->take(piece); }
    void on_end() override { stream_->end(); }
    void on_abort() override { stream_->abandon(); }

  private:
    std::shared_ptr<Stream> stream_;
};

}  // namespace

std::unique_ptr<net::BodySink> open_submission_stream(Reply reply,
                                                      std::shared_ptr<engine::HostedBoard> board,
                                                      const StreamOptions& options) {
    auto stream = std::make_shared<Stream>(std::move(reply), std::move(board), options);
    stream->open();
    return std::make_unique<StreamSink>(std::move(stream));
}

}  // namespace standings::api
