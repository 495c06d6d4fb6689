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

// None: this is no summary.
std::optional<UploadSummary> read_summary(const HttpAnswer& answer) {
    text::JsonDocument json;
    std::string_view body = answer.body;
    while (body.ends_with('\n')) body.remove_suffix(1);
    const auto root = json.parse(body);
    if (!root || !(*root)->is_object()) return std::nullopt;
    const text::JsonNode* node = json.member(**root, "summary");
    if (node == nullptr || !node->is_object()) return std::nullopt;
    UploadSummary summary;
    summary.accepted = number(json, *node, "accepted");
    summary.rejected = number(json, *node, "rejected");
    summary.replayed = number(json, *node, "replayed");
    summary.seq = number(json, *node, "seq");
    summary.all_there = answer.header("idempotency-replayed") == "true";
    if (summary.all_there) summary.replayed = summary.accepted + summary.rejected;
    if (const text::JsonNode* problems = json.member(**root, "problems")) {
        json.for_each(*problems, [&](const text::JsonNode& item) {
            const text::JsonNode* detail = json.member(item, "detail");
            summary.problems.push_back(
                {number(json, item, "line"), std::string(detail != nullptr ? detail->text : "")});
        });
    }
    return summary;
}

// One import and its attempts.
class Sender {
  public:
    Sender(HttpClient& client, const ImportPlan& plan, Rejects& rejects, Progress& progress,
           const RowObserver& observer)
        : client_(client),
          plan_(plan),
          rejects_(rejects),
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
    std::optional<std::size_t> give(RowStream& stream, std::span<char> out);
    Error give_up() const;

    HttpClient& client_;
    const ImportPlan& plan_;
    Rejects& rejects_;
    Progress& progress_;
    const RowObserver& observer_;

    std::string text_;      // lines made, not all sent
    std::size_t sent_ = 0;  // of text_
    bool more_ = true;
    std::optional<Error> failure_;  // of the input, in this attempt
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

    const auto answer = client_.upload({.method = "POST",
                                        .target = board_path(plan_.board, "/submissions"),
                                        .content_type = "application/x-ndjson",
                                        .headers = {{"Idempotency-Key", plan_.key}}},
                                       [&](std::span<char> out) { return give(*stream, out); });
    if (failure_) return *failure_;
    if (StopRequest::signal() != 0) return stopped();
    furthest_ = std::max(furthest_, stream->counts().rows);
    if (furthest_ > before) failures_ = 0;
    setback_ = {};
    if (!answer) {
        setback_.what = answer.error().detail;
        return std::optional<UploadSummary>();
    }
    if (answer->is_ok()) {
        auto summary = read_summary(*answer);
        if (!summary) {
            return Error{ErrorCode::kIo,
                         "the answer of " + client_.server() + " has no summary. Look at --server"};
        }
        summary->counts = stream->counts();
        return summary;
    }
    const Problem problem = problem_of(*answer);
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
    if (!may_pass) return error_of(*answer);
    setback_.what = problem.message;
    unsigned seconds = 0;
    const std::string_view after = answer->header("retry-after");
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
                             Progress& progress, const RowObserver& observer) {
    return Sender(client, plan, rejects, progress, observer).run();
}

}  // namespace standings::cli
