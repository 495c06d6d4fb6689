#include "api/submission_stream.h"

#include <chrono>
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

// As many as one transaction takes from the bulk lane wait for it, while as many are under way.
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
    StreamPiece(engine::Mailbox& home, std::shared_ptr<engine::HostedBoard> board,
                std::shared_ptr<Stream> owner)
        : EntryOperation(home, std::move(board)), stream_(std::move(owner)) {
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
          max_line_(reply_.tools().service.limits.max_line_bytes),
          json_(reply_.tools().service.limits.max_depth),
          // The same lines for another board are another stream.
          running_hash_(base::hash64(board_->slug())) {}

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
    StreamPiece& piece();
    void send_piece(bool complete);
    void push(std::unique_ptr<engine::Operation> operation, std::size_t lines);
    void go_on();
    void finish_if_done();
    void release_key();
    void fail(Error error);

    void tell(std::uint64_t line, const Error& error);
    void tell(std::uint64_t line, const engine::ChangeOutcome& outcome, std::string_view player);
    void write_out(const std::string& text);
    void send_summary();

    Reply reply_;
    std::shared_ptr<engine::HostedBoard> board_;
    const StreamOptions options_;
    const std::size_t max_line_;

    text::JsonDocument json_;
    std::string unread_;  // text not yet cut into lines
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
            accepted_ = before_.accepted;
            rejected_ = before_.rejected;
            seq_ = before_.seq;
        }
    }
    opened_ = true;
    go_on();
}

bool Stream::take(std::string_view piece) {
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
    const bool endless =
        unread_.size() > max_line_ && unread_.find('\n') == std::string::npos && may_read();
    if (endless) {
        return fail({ErrorCode::kTooLarge, "Line " + std::to_string(line_ + 1) +
                                               " is longer than " + std::to_string(max_line_) +
                                               " bytes."});
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
    running_hash_ = base::hash64(line, running_hash_);
    if (line_ > before_.lines) return false;
    if (line_ == before_.lines && running_hash_ != before_.running_hash) {
        fail({ErrorCode::kIdempotencyMismatch,
              "The first " + std::to_string(line_) +
                  " lines are not those that came with this Idempotency-Key before."});
    }
    return true;
}

void Stream::read_line(std::string_view line) {
    ++line_;
    if (skip_committed(line)) return;
    if (line.find_first_not_of(" \t") == std::string_view::npos) return;

    StreamPiece& piece = this->piece();
    LineFate& fate = piece.fates.emplace_back(LineFate{line_, std::nullopt});
    const auto config =
        board_->read([](const engine::HostedBoard::View& view) { return view.config; });
    if (line.size() > max_line_) {
        fate.refused = Error{ErrorCode::kTooLarge,
                             "The line is longer than " + std::to_string(max_line_) + " bytes."};
    } else if (const auto root = json_.parse(line); !root) {
        fate.refused = root.error();
    } else {
        auto change = read_submission(
            json_, **root, {*config, reply_.tools().service.engine.clock().now()}, piece);
        if (change) {
            piece.changes.push_back(*change);
        } else {
            fate.refused = change.error();
        }
    }
    if (fate.refused) ++refused_in_piece_;
    if (piece.fates.size() >= kLinesPerOperation) send_piece(false);
}

StreamPiece& Stream::piece() {
    if (!piece_) {
        piece_ = std::make_unique<StreamPiece>(reply_.tools().mailbox, board_, shared_from_this());
        piece_->columns_version = board_->columns_version();
    }
    return *piece_;
}

void Stream::send_piece(bool complete) {
    const bool mark_complete = complete && options_.key && !before_.complete;
    if (!piece_ && !mark_complete) return finish_if_done();
    StreamPiece& filled = piece();
    if (options_.key) {
        filled.stream = engine::StreamProgress{.key = *options_.key,
                                               .lines = line_,
                                               .running_hash = running_hash_,
                                               .rejected_by_reader = refused_in_piece_,
                                               .complete = complete};
    }
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
            tell(fate.line, outcome, piece.changes[next].player);
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
    if (options_.receipts_by_line) write_out("{\"problem\":" + problem + "}\n");
    if (problem_count_ == kMaxProblems) return;
    if (problem_count_ > 0) problems_ += ',';
    problems_ += problem;
    ++problem_count_;
}

void Stream::tell(std::uint64_t line, const engine::ChangeOutcome& outcome,
                  std::string_view player) {
    if (!options_.receipts_by_line || client_gone_) return;
    const engine::ReceiptReading reading = engine::read_receipt(*board_, player, outcome);
    engine::SharedDetails details;
    Service& service = reply_.tools().service;
    if (reading.row && reading.row->has_details) {
        details = service.engine.details().find({reading.ranking, reading.row->slot});
    }
    std::string text = "{\"line\":";
    text::append_number(text, line);
    text += ',';
    std::string receipt;
    append_receipt(receipt, outcome, reading, player, details.get(), service.engine.epoch());
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

void Stream::send_summary() {
    if (failure_ && !begun_) return reply_.problem(*failure_);
    std::string text = "{\"summary\":{\"lines\":";
    text::append_number(text, accepted_ + rejected_);
    text += ",\"accepted\":";
    text::append_number(text, accepted_);
    text += ",\"rejected\":";
    text::append_number(text, rejected_);
    text += ",\"seq\":";
    text::append_number(text, seq_.value == 0 ? board_->seq().value : seq_.value);
    text += ",\"epoch\":\"" + reply_.tools().service.engine.epoch() + "\"}";
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
