#include "cli/command.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <memory>
#include <thread>

#include "base/random.h"
#include "cli/command_line.h"
#include "cli/terminal.h"

namespace standings::cli {

using base::Error;
using base::ErrorCode;
using base::Result;
using std::chrono::milliseconds;

namespace {

constexpr std::array kPauses = {milliseconds(100), milliseconds(500), milliseconds(1500)};
constexpr milliseconds kLongestPause(5000);
// A person who has waited so long wonders.
constexpr milliseconds kSoon(3000);

// The server will do it, only not yet.
bool is_passing(const HttpAnswer& answer) {
    return answer.status == 503 || answer.status == 429 ||
           (answer.status == 409 && problem_of(answer).code == "idempotency_running");
}

milliseconds pause_after(const Result<HttpAnswer>& answer, milliseconds usual) {
    if (!answer) return usual;
    const std::string_view said = answer->header("retry-after");
    int seconds = 0;
    const auto [at, failure] = std::from_chars(said.data(), said.data() + said.size(), seconds);
    if (failure != std::errc{} || seconds <= 0) return usual;
    return std::min(milliseconds(1000) * std::min(seconds, 60), kLongestPause);
}

}  // namespace

int exit_after(const Result<void>& result) {
    if (result) return kDone;
    complain(result.error().detail);
    const ErrorCode code = result.error().code;
    return code == ErrorCode::kSettings || code == ErrorCode::kInvalid ? kUsage : kFailed;
}

Result<HttpAnswer> ask(HttpClient& client, const HttpRequest& request) {
    auto answer = client.send(request);
    if (answer && !answer->is_ok()) return error_of(*answer);
    return answer;
}

Result<HttpAnswer> ask_until_answered(HttpClient& client, const HttpRequest& request,
                                      std::string_view advice) {
    const auto began = std::chrono::steady_clock::now();
    bool told = false;
    auto answer = client.send(request);
    for (const milliseconds usual : kPauses) {
        if (answer && !is_passing(*answer)) break;
        if (!told && std::chrono::steady_clock::now() - began > kSoon) {
            complain((answer ? problem_of(*answer).message : answer.error().detail) +
                     "\n  asking again");
            told = true;
        }
        std::this_thread::sleep_for(pause_after(answer, usual));
        answer = client.send(request);
    }
    if (answer && answer->is_ok()) return answer;
    Error error = answer ? error_of(*answer) : answer.error();
    if (!answer || is_passing(*answer)) error.detail += advice;
    return error;
}

std::pair<std::string, std::string> idempotency_key(const std::string& key) {
    return {"Idempotency-Key", key};
}

std::string new_idempotency_key() {
    static constexpr char kHex[] = "0123456789abcdef";
    std::array<std::byte, 16> bytes;
    base::SystemRandom().fill(bytes);
    std::string key = "cli-";
    for (const std::byte byte : bytes) {
        key += kHex[std::to_integer<unsigned>(byte) >> 4];
        key += kHex[std::to_integer<unsigned>(byte) & 15];
    }
    return key;
}

Result<std::unique_ptr<JsonAnswer>> JsonAnswer::of(std::string body) {
    auto answer = std::make_unique<JsonAnswer>();
    answer->body_ = std::move(body);
    const auto root = answer->document_.parse(answer->body_);
    if (!root || !(*root)->is_object()) {
        return Error{ErrorCode::kIo, "the answer is not JSON; is --server a Standings server?"};
    }
    answer->root_ = *root;
    return answer;
}

std::string JsonAnswer::text(std::string_view key) const {
    const text::JsonNode* member = document_.member(*root_, key);
    return std::string(member != nullptr ? member->text : std::string_view());
}

Result<std::unique_ptr<JsonAnswer>> ask_json(HttpClient& client, const HttpRequest& request) {
    auto answer = ask(client, request);
    if (!answer) return answer.error();
    return JsonAnswer::of(std::move(answer->body));
}

std::string board_path(std::string_view board, std::string_view below) {
    return "/v1/boards/" + escaped(board) + std::string(below);
}

std::vector<std::string> column_names_of(const JsonAnswer& board) {
    std::vector<std::string> names;
    if (const text::JsonNode* columns = board.document().member(board.root(), "columns")) {
        board.document().for_each(*columns, [&](const text::JsonNode& column) {
            const text::JsonNode* name =
                column.is_object() ? board.document().member(column, "name") : nullptr;
            if (name != nullptr && name->is_string()) names.emplace_back(name->text);
        });
    }
    return names;
}

}  // namespace standings::cli
