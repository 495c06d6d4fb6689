#include "api/live_message.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <utility>

#include "api/watch_request.h"
#include "base/result.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using text::JsonDocument;
using text::JsonNode;

constexpr std::size_t kMaxIdText = 64;

using What = std::variant<AuthMessage, WatchMessage, UnwatchMessage, SubmitMessage>;

Error invalid(std::string detail, std::string pointer) {
    return {ErrorCode::kInvalid, std::move(detail), std::move(pointer)};
}

// What is not known is refused: it might be what matters to whoever sent it.
Result<void> check_members(const JsonDocument& json, const JsonNode& object,
                           std::initializer_list<std::string_view> known, std::string_view where) {
    std::optional<Error> unknown;
    json.for_each(object, [&](const JsonNode& member) {
        if (unknown || std::ranges::find(known, member.key) != known.end()) return;
        unknown = invalid("There is no member of this name here.",
                          std::string(where) + text::pointer_to(member.key));
    });
    if (unknown) return *unknown;
    return {};
}

// A text that has to be there, and has to be one.
Result<std::string_view> read_text(const JsonDocument& json, const JsonNode& object,
                                   std::string_view key, std::string what) {
    const JsonNode* node = json.member(object, key);
    if (node != nullptr && node->is_string()) return node->text;
    return invalid(std::move(what), '/' + std::string(key));
}

Result<std::optional<std::uint64_t>> read_number(const JsonDocument& json, const JsonNode& object,
                                                 std::string_view key, std::string_view where) {
    const JsonNode* node = json.member(object, key);
    if (node == nullptr) return std::optional<std::uint64_t>{};
    std::uint64_t value = 0;
    const char* const end = node->text.data() + node->text.size();
    const auto [at, failure] = std::from_chars(node->text.data(), end, value);
    if (node->is_number() && failure == std::errc{} && at == end) return std::optional(value);
    return invalid("This is a whole number.", std::string(where) + std::string(key));
}

Result<live::View> read_view(const JsonDocument& json, const JsonNode& message,
                             std::string_view board) {
    constexpr std::string_view kWhere = "/view/";
    const JsonNode* view = json.member(message, "view");
    const Error wrong = invalid(
        "`view` is one of {\"top\":25}, {\"around\":\"u_812\",\"span\":5}, "
        "{\"player\":\"u_812\"} and {\"feed\":20}.",
        "/view");
    if (view == nullptr || !view->is_object() || view->size == 0) return wrong;
    AskedView asked;
    std::size_t known = 0;
    for (const auto& [key, member] :
         {std::pair{"around", &asked.around}, std::pair{"player", &asked.player}}) {
        const JsonNode* node = json.member(*view, key);
        if (node == nullptr) continue;
        // What is no text is no player's id either.
        *member = node->is_string() ? node->text : std::string_view();
        ++known;
    }
    for (const auto& [key, member] : {std::pair{"top", &asked.top}, std::pair{"span", &asked.span},
                                      std::pair{"feed", &asked.feed}}) {
        auto number = read_number(json, *view, key, kWhere);
        if (!number) return number.error();
        if (*number) ++known;
        *member = *number;
    }
    if (known != view->size) return wrong;
    return to_view(asked, board, kWhere);
}

Result<What> read_watch(const JsonDocument& json, const JsonNode& message) {
    WatchMessage watch;
    std::string_view board;
    if (json.member(message, "board") != nullptr) {
        const auto slug = read_text(json, message, "board", "`board` is the id of a board.");
        if (!slug) return slug.error();
        if (slug->empty()) return invalid("`board` is the id of a board.", "/board");
        board = *slug;
    }
    const JsonNode* period = json.member(message, "period");
    if (period != nullptr && period->text != "all") {
        return invalid("The board has the period `all` only.", "/period");
    }
    auto view = read_view(json, message, board);
    if (!view) return view.error();
    watch.view = *std::move(view);
    const auto asked = read_number(json, message, "rate", "/");
    if (!asked) return asked.error();
    const auto rate = to_rate(*asked, "/rate");
    if (!rate) return rate.error();
    watch.rate = *rate;
    if (const JsonNode* since = json.member(message, "since")) {
        const Error wrong = invalid("`since` is {\"epoch\":\"k3\",\"seq\":90431}.", "/since");
        if (!since->is_object()) return wrong;
        const JsonNode* epoch = json.member(*since, "epoch");
        if (const auto known = check_members(json, *since, {"epoch", "seq"}, "/since"); !known) {
            return known.error();
        }
        const auto seq = read_number(json, *since, "seq", "/since/");
        if (epoch == nullptr || !epoch->is_string() || !seq || !*seq ||
            **seq > base::kMaxSequence) {
            return wrong;
        }
        watch.since = {epoch->text, {**seq}};
    }
    return What(std::move(watch));
}

Result<What> read_submit(const JsonDocument& json, const JsonNode& message) {
    const auto board = read_text(json, message, "board", "`board` is the id of a board.");
    if (!board) return board.error();
    SubmitMessage submit{.board = *board, .submission = json.member(message, "submission")};
    if (submit.submission == nullptr || !submit.submission->is_object()) {
        return invalid("`submission` is what a POST has as its body.", "/submission");
    }
    if (json.member(message, "idempotency_key") != nullptr) {
        const auto key =
            read_text(json, message, "idempotency_key", "`idempotency_key` is a text.");
        if (!key) return key.error();
        submit.idempotency_key = *key;
    }
    return What(submit);
}

Result<What> read_what(const JsonDocument& json, const JsonNode& message) {
    const JsonNode* op = json.member(message, "op");
    const std::string_view name = op != nullptr ? op->text : std::string_view();
    const auto check = [&](std::initializer_list<std::string_view> known) {
        return check_members(json, message, known, "");
    };
    if (name == "watch") {
        const auto known = check({"id", "op", "board", "period", "view", "rate", "since"});
        if (!known) return known.error();
        return read_watch(json, message);
    }
    if (name == "submit") {
        const auto known = check({"id", "op", "board", "submission", "idempotency_key"});
        if (!known) return known.error();
        return read_submit(json, message);
    }
    if (name == "auth") {
        if (const auto known = check({"id", "op", "token"}); !known) return known.error();
        const auto token = read_text(json, message, "token", "`token` is a key.");
        if (!token) return token.error();
        return What(AuthMessage{*token});
    }
    if (name == "unwatch") {
        if (const auto known = check({"id", "op", "view"}); !known) return known.error();
        const auto view = read_text(json, message, "view", "`view` is the name of a view.");
        if (!view) return view.error();
        return What(UnwatchMessage{*view});
    }
    return invalid("`op` is one of `auth`, `watch`, `unwatch` and `submit`.", "/op");
}

}  // namespace

LiveMessage read_live_message(const JsonDocument& json, const JsonNode& node) {
    LiveMessage message{.what = invalid("A message is an object with `op` and `id`.", "")};
    if (!node.is_object()) return message;
    if (const JsonNode* id = json.member(node, "id")) {
        std::string written;
        json.write(*id, written);
        if ((!id->is_number() && !id->is_string()) || written.size() > kMaxIdText) {
            message.what = invalid("`id` is a short number or text.", "/id");
            return message;
        }
        message.id = std::move(written);
    }
    message.what = read_what(json, node);
    return message;
}

}  // namespace standings::api
