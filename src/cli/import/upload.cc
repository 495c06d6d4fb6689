#include "cli/import/upload.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "cli/command.h"
#include "cli/stop_request.h"
#include "text/json_document.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using std::chrono::milliseconds;

constexpr std::size_t kPieceBytes = 128 * 1024;
// In a row, without a row more sent: about a minute in all.
constexpr unsigned kMaxFailures = 9;
constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{15'000};
constexpr milliseconds kGlance{50};

Error stopped() {
    return {ErrorCode::kDraining, "interrupted"};
}

// False when a signal came meanwhile.
bool pause(milliseconds length) {
    const auto until = std::chrono::steady_clock::now() + length;
    while (std::chrono::steady_clock::now() < until) {
        if (StopRequest::signal() != 0) return false;
        std::this_thread::sleep_for(kGlance);
    }
    return StopRequest::signal() == 0;
}

std::uint64_t number(const text::JsonDocument& json, const text::JsonNode& object,
                     std::string_view name) {
    const text::JsonNode* node = json.member(object, name);
    std::uint64_t value = 0;
    if (node != nullptr && node->is_number())
        std::from_chars(node->text.data(), node->text.data() + node->text.size(), value);
    return value;
}

// The answer to a stream as it comes: a line for each line that is refused, a summary at the end.
class StreamAnswer {
  public:
    explicit StreamAnswer(Refusals& refusals) : refusals_(refusals) {}

    // False when it is not from a Standings server.
    bool take(std::string_view piece) {
        text_ += piece;
        std::size_t from = 0;
        for (std::size_t end = text_.find('\n'); end != std::string::npos;
             end = text_.find('\n', from)) {
            if (!take_line(std::string_view(text_).substr(from, end - from))) return false;
            from = end + 1;
        }
        text_.erase(0, from);
        return text_.size() <= kMaxLine;
    }
    bool is_over() const { return summary_.has_value(); }
    // None before it is over.
    const std::optional<UploadSummary>& summary() const { return summary_; }
    // Why the server ended a stream to which it had begun to answer; empty: it did not.
    const std::string& problem() const { return problem_; }
    int problem_status() const { return problem_status_; }

  private:
    bool take_line(std::string_view line) {
        const auto parsed = json_.parse(line);
        if (!parsed || !(*parsed)->is_object()) return false;
        const text::JsonNode& root = **parsed;
        const text::JsonNode* problem = json_.member(root, "problem");
        if (const text::JsonNode* summary = json_.member(root, "summary")) {
            summary_.emplace();
            summary_->accepted = number(json_, *summary, "accepted");
            summary_->rejected = number(json_, *summary, "rejected");
            summary_->replayed = number(json_, *summary, "replayed");
            summary_->seq = number(json_, *summary, "seq");
            if (problem == nullptr) return true;
            json_.write(*problem, problem_);
            problem_status_ = static_cast<int>(number(json_, *problem, "status"));
            return true;
        }
        if (problem == nullptr || !problem->is_object()) return false;
        const text::JsonNode* detail = json_.member(*problem, "detail");
        refusals_.add(number(json_, *problem, "line"), detail != nullptr ? detail->text : "");
        return true;
    }

    // The summary names up to a thousand refused lines once more.
    static constexpr std::size_t kMaxLine = 64u << 20;

    Refusals& refusals_;
    std::string text_;  // not yet a line
    text::JsonDocument json_;
    std::optional<UploadSummary> summary_;
    std::string problem_;
    int problem_status_ = 0;
};

// One import and its attempts.
class Sender {
  public:
    Sender(HttpClient& client, const ImportPlan& plan, Rejects& rejects, Refusals& refusals,
           Progress& progress, const RowObserver& observer)
        : client_(client),
          plan_(plan),
          rejects_(rejects),
          refusals_(refusals),
          progress_(progress),
          observer_(observer) {}

    Result<UploadSummary> run();

  private:
    // A failure that may pass by itself; the wait that the server asked for.
    struct Setback {
        std::string what;
        milliseconds wait{0};
    };
    Result<std::optional<UploadSummary>> attempt();
    Result<std::optional<UploadSummary>> refused(const HttpAnswer& answer);
    std::optional<std::size_t> give(RowStream& stream, std::span<char> out);
    Error give_up() const;

    HttpClient& client_;
    const ImportPlan& plan_;
    Rejects& rejects_;
    Refusals& refusals_;
    Progress& progress_;
    const RowObserver& observer_;

    std::string text_;      // lines made, not all sent
    std::size_t sent_ = 0;  // of text_
    bool more_ = true;
    std::optional<Error> failure_;  // of the input or of what is kept of the answer
    std::uint64_t furthest_ = 0;    // rows of the best attempt
    Setback setback_;               // of the last attempt
    unsigned failures_ = 0;         // since rows were sent that never were before
};

std::optional<std::size_t> Sender::give(RowStream& stream, std::span<char> out) {
    if (StopRequest::signal() != 0) return std::nullopt;
    if (sent_ == text_.size()) {
        text_.clear();
        sent_ = 0;
        if (more_) {
            const auto filled = stream.fill(text_, kPieceBytes, rejects_, observer_.accepted);
            if (!filled) {
                failure_ = filled.error();
                return std::nullopt;
            }
            more_ = *filled;
        }
        progress_.tick("sent", {stream.source().position(), stream.source().size(),
                                stream.counts().rows, stream.counts().rejected});
    }
    const std::size_t count = std::min(out.size(), text_.size() - sent_);
    std::memcpy(out.data(), text_.data() + sent_, count);
    sent_ += count;
    return count;
}

// The summary, or nothing after a setback. Fails with what more attempts would not change.
Result<std::optional<UploadSummary>> Sender::attempt() {
    auto stream = RowStream::open(plan_.input, plan_.format, plan_.map);
    if (!stream) return stream.error();
    rejects_.start_over();
    if (observer_.starting) observer_.starting();
    text_.clear();
    sent_ = 0;
    more_ = true;
    const std::uint64_t before = furthest_;

    StreamAnswer stream_answer(refusals_);
    bool is_ours = true;
    auto answer = client_.upload(
        {.method = "POST",
         .target = board_path(plan_.board, "/submissions?receipts=problems"),
         .content_type = "application/x-ndjson",
         .headers = {{"Idempotency-Key", plan_.key}}},
        [&](std::span<char> out) -> std::optional<std::size_t> {
            // Nobody reads what would follow.
            if (stream_answer.is_over()) return 0;
            return give(*stream, out);
        },
        [&](std::string_view piece) {
            is_ours = stream_answer.take(piece);
            if (auto kept = refusals_.keep(); !kept) failure_ = std::move(kept).error();
            // Where all is sent and answers still come, nobody else looks.
            return is_ours && !failure_ && StopRequest::signal() == 0;
        });
    if (failure_) return *failure_;
    if (StopRequest::signal() != 0) return stopped();
    furthest_ = std::max(furthest_, stream->counts().rows);
    if (furthest_ > before) failures_ = 0;
    setback_ = {};
    if (stream_answer.is_over()) {
        // The connection may have ended before everything was sent: what was said is what counts.
        if (stream_answer.problem().empty()) {
            auto summary = stream_answer.summary();
            summary->counts = stream->counts();
            if (answer && answer->header("idempotency-replayed") == "true")
                summary->replayed = summary->accepted + summary->rejected;
            return summary;
        }
        return refused({.status = stream_answer.problem_status(),
                        .body = stream_answer.problem(),
                        .server = client_.server(),
                        .key_from = client_.key_from()});
    }
    if (!is_ours || (answer && answer->is_ok())) {
        return Error{ErrorCode::kIo,
                     "the answer of " + client_.server() + " has no summary. Look at --server"};
    }
    if (!answer) {
        setback_.what = answer.error().detail;
        return std::optional<UploadSummary>();
    }
    return refused(*answer);
}

Result<std::optional<UploadSummary>> Sender::refused(const HttpAnswer& answer) {
    const Problem problem = problem_of(answer);
    const bool unavailable =
        problem.status == 502 || problem.status == 503 || problem.status == 504;
    const bool may_pass = problem.status == 429 || problem.code == "idempotency_running" ||
                          (unavailable && problem.code != "data_damaged");
    if (problem.code == "idempotency_mismatch") {
        return Error{ErrorCode::kIdempotencyMismatch,
                     "An earlier run of this import sent other lines: the board's columns or the "
                     "program have changed since. " +
                         problem.message + " --again imports everything once more."};
    }
    if (problem.code == "board_closed") {
        Error closed = error_of(answer);
        closed.detail += "\n  open it with `standings boards reopen " + plan_.board +
                         "`; the same import then goes on where it stopped";
        return closed;
    }
    if (!may_pass) return error_of(answer);
    setback_.what = problem.message;
    unsigned seconds = 0;
    const std::string_view after = answer.header("retry-after");
    std::from_chars(after.data(), after.data() + after.size(), seconds);
    setback_.wait = std::chrono::seconds(std::min(seconds, 60U));
    return std::optional<UploadSummary>();
}

Error Sender::give_up() const {
    return {ErrorCode::kIo,
            "gave up after " + std::to_string(failures_) + " attempts: " + setback_.what};
}

Result<UploadSummary> Sender::run() {
    progress_.restart();
    while (true) {
        auto summary = attempt();
        if (!summary) return summary.error();
        if (*summary) return *std::move(*summary);
        if (++failures_ == kMaxFailures) return give_up();
        const milliseconds wait =
            std::max(std::min(kFirstPause * (1U << (failures_ - 1)), kLongestPause), setback_.wait);
        progress_.say(setback_.what + " - trying again in " +
                      std::to_string((wait.count() + 999) / 1000) + " s");
        if (!pause(wait)) return stopped();
    }
}

}  // namespace

Result<UploadSummary> upload(HttpClient& client, const ImportPlan& plan, Rejects& rejects,
                             Refusals& refusals, Progress& progress, const RowObserver& observer) {
    return Sender(client, plan, rejects, refusals, progress, observer).run();
}

}  // namespace standings::cli
