#include "cli/watch/watch_command.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "cli/command.h"
#include "cli/stop_request.h"
#include "cli/watch/comeback.h"
#include "cli/watch/event_reader.h"
#include "cli/watch/watch_output.h"
#include "text/json_writer.h"

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using std::chrono::milliseconds;

// Signals and new sizes are looked at as often, and moves go out of sight.
constexpr milliseconds kTurn(500);
constexpr std::chrono::seconds kNewsFor(10);
// A board with all that is said of it.
constexpr std::size_t kMostHead = 1u << 20;

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data(), end, number);
    return failure == std::errc{} && at == end ? std::optional(number) : std::nullopt;
}

// The server may do it later.
bool is_passing(const HttpAnswer& answer) {
    return answer.status == 408 || answer.status == 429 || answer.status >= 500;
}

Result<BoardHead> head_of(std::string body) {
    const auto answer = JsonAnswer::of(std::move(body));
    if (!answer) return answer.error();
    return BoardHead{.title = (*answer)->text("title"),
                     .columns = column_names_of(**answer),
                     .is_closed = (*answer)->text("state") == "closed"};
}

// One board, over as many connections as it takes. One run.
class Watching {
  public:
    // `client` is for what is watched, `questions` for what is asked meanwhile.
    Watching(HttpClient& client, HttpClient& questions, const WatchSettings& settings,
             base::Random& random, WatchOutput& output)
        : client_(client),
          questions_(questions),
          settings_(settings),
          output_(output),
          comeback_(random),
          moves_(!settings.view.player) {}

    // Ends well when nobody looks any more.
    Result<void> run();

  private:
    // Why a connection has ended.
    struct End {
        Error why;
        bool is_final = false;
    };

    End connect_once();
    End ended(const Result<HttpAnswer>& answer);
    // None: it is read.
    std::optional<End> read_head();
    void wait(milliseconds pause, const std::string& why);

    bool take(const ServerEvent& event);
    bool take_message(const ServerEvent& event);
    bool take_beat(const ServerEvent& event);
    void note_event(const text::JsonNode& message);

    std::optional<Wait> turn();
    std::optional<Wait> look();
    bool show();
    std::string news() const;
    base::Monotonic now() const { return clock_.monotonic(); }

    HttpClient& client_;
    HttpClient& questions_;
    const WatchSettings& settings_;
    WatchOutput& output_;
    const base::SystemClock clock_;
    Comeback comeback_;

    std::optional<BoardHead> head_;  // as it was when this connection had begun, and since
    bool wants_head_ = false;
    std::optional<End> no_head_;  // why it cannot be read
    LiveRows rows_;
    Moves moves_;
    text::JsonDocument json_;
    std::string last_id_;     // empty: the next connection begins with a snapshot
    bool has_rows_ = false;   // since the first one
    bool is_over_ = false;    // nobody looks any more
    bool is_wrong_ = false;   // what came on this connection follows from nothing
    bool has_ended_ = false;  // the server has said so
    bool is_connected_ = false;
    std::string state_;  // while it is not connected

    struct Happened {
        std::string kind;
        std::string player;
        base::Monotonic at{};
    };
    Happened happened_;
};

// --- the connection -------------------------------------------------------------------------

Result<void> Watching::run() {
    while (true) {
        const End end = connect_once();
        const bool was_connected = std::exchange(is_connected_, false);
        if (is_over_ || StopRequest::signal() != 0) return {};
        // Where nothing has ever come, a person has to look.
        if (!has_rows_) return end.why;
        if (end.is_final) return end.why.with_context("the watch has ended");
        // What is behind the first line is for whoever looks into it.
        const std::string why = end.why.detail.substr(0, end.why.detail.find('\n'));
        if (was_connected) output_.say(why + "; trying again");
        wait(comeback_.next_pause(), why);
        if (is_over_) return {};
    }
}

Watching::End Watching::connect_once() {
    HttpRequest request{.target = settings_.view.target(settings_.rate)};
    if (!last_id_.empty()) request.headers.emplace_back("Last-Event-ID", last_id_);
    is_wrong_ = has_ended_ = false;
    EventReader reader;
    const auto answer = client_.follow(
        request,
        [&](std::string_view bytes) {
            const bool is_fed =
                reader.feed(bytes, [this](const ServerEvent& event) { return take(event); });
            is_wrong_ = !is_fed && !is_over_;
            return is_fed;
        },
        [this] { return turn(); });
    if (no_head_) return *std::exchange(no_head_, std::nullopt);
    if (has_ended_) return {{ErrorCode::kIo, client_.server() + " is shutting down"}};
    if (!is_wrong_) return ended(answer);
    last_id_.clear();
    return {{ErrorCode::kIo, client_.server() +
                                 " sent what is no news of a board; is it a Standings server of "
                                 "this version?"}};
}

std::optional<Watching::End> Watching::read_head() {
    std::string body;
    const auto answer = questions_.follow(
        {.target = board_path(settings_.view.board)},
        [&](std::string_view bytes) {
            body += bytes;
            return body.size() <= kMostHead;
        },
        [this] { return look(); });
    if (!answer || !answer->is_ok()) return ended(answer);
    auto head = head_of(std::move(body));
    if (!head) return End{head.error()};
    head_ = *std::move(head);
    wants_head_ = false;
    return std::nullopt;
}

Watching::End Watching::ended(const Result<HttpAnswer>& answer) {
    if (!answer) return {answer.error()};
    if (answer->is_ok()) {
        return {{ErrorCode::kIo, client_.server() + " has ended the connection"}};
    }
    const auto seconds = number_in(answer->header("retry-after"));
    if (seconds) comeback_.asked(std::chrono::seconds(std::min<std::uint64_t>(*seconds, 60)));
    return {error_of(*answer), !is_passing(*answer)};
}

void Watching::wait(milliseconds pause, const std::string& why) {
    const base::Monotonic end = now() + pause;
    while (true) {
        const auto left = std::chrono::ceil<milliseconds>(end - now());
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(left);
        const bool is_over = left.count() <= 0;
        state_ = "no connection, trying again " +
                 (is_over ? "now" : "in " + std::to_string(seconds.count()) + " s") + ": " + why;
        const auto next = turn();
        if (is_over || !next) return;
        pollfd keys{.fd = next->file, .events = POLLIN, .revents = 0};
        ::poll(&keys, 1, static_cast<int>(std::min(left, next->most).count()));
    }
}

// --- what comes -----------------------------------------------------------------------------

bool Watching::take(const ServerEvent& event) {
    if (event.retry) comeback_.asked(*event.retry);
    comeback_.arrived();
    if (!std::exchange(is_connected_, true)) {
        // What happens to the board from now on is among the events.
        wants_head_ = true;
        if (has_rows_) output_.say("connected again");
    }
    const bool follows = event.data ? take_message(event) : take_beat(event);
    return follows && !is_over_;
}

bool Watching::take_message(const ServerEvent& event) {
    const auto message = json_.parse(*event.data);
    if (!message || !(*message)->is_object()) return false;
    // Events before a snapshot may be missing, as after a slow time of the terminal.
    if (event.name == "snapshot") wants_head_ = true;
    if (event.name == "snapshot" || event.name == "delta") {
        if (!rows_.apply(json_, **message)) return false;
        last_id_ = event.id.value_or("");
        has_rows_ = true;
        moves_.note(rows_, now());
    }
    if (event.name == "event") note_event(**message);
    if (event.name == "bye") has_ended_ = true;
    is_over_ = !output_.tell(*event.data);
    return true;
}

bool Watching::take_beat(const ServerEvent& event) {
    if (!event.id) return true;
    const auto seq = number_in(event.id->substr(event.id->find(':') + 1));
    if (!seq || !has_rows_) return false;
    rows_.beat(*seq);
    last_id_ = *event.id;
    // As over a WebSocket, where it is a message.
    std::string beat = "{";
    text::append_member(beat, "view", rows_.view());
    beat += R"(,"type":"beat","seq":)" + std::to_string(*seq) + '}';
    is_over_ = !output_.tell(beat);
    return true;
}

void Watching::note_event(const text::JsonNode& message) {
    const auto text_of = [&](std::string_view key) {
        const text::JsonNode* member = json_.member(message, key);
        return std::string(member != nullptr ? member->text : std::string_view());
    };
    happened_ = {.kind = text_of("kind"), .player = text_of("player"), .at = now()};
    // It may have other columns now.
    if (happened_.kind == "reset") wants_head_ = true;
    if (!head_) return;
    if (happened_.kind == "frozen") head_->is_closed = true;
    if (happened_.kind == "unfrozen") head_->is_closed = false;
}

// --- what is seen ---------------------------------------------------------------------------

std::optional<Wait> Watching::turn() {
    if (wants_head_ && is_connected_) no_head_ = read_head();
    if (no_head_) return std::nullopt;
    is_over_ = is_over_ || !show();
    return look();
}

// The part of a turn without the picture.
std::optional<Wait> Watching::look() {
    is_over_ = is_over_ || StopRequest::signal() != 0 || !output_.look();
    if (is_over_) return std::nullopt;
    return Wait{.most = kTurn, .file = output_.keys()};
}

bool Watching::show() {
    if (!has_rows_ || !head_) return true;
    return output_.show({.view = settings_.view,
                         .head = *head_,
                         .rows = rows_,
                         .moves = moves_,
                         .is_connected = is_connected_,
                         .state = is_connected_ ? "live" : state_,
                         .news = news(),
                         .now = now()});
}

std::string Watching::news() const {
    if (happened_.kind.empty() || now() - happened_.at > kNewsFor) return {};
    if (happened_.kind == "leader") {
        const LiveRow* leader = rows_.find(happened_.player);
        const bool is_named = leader != nullptr && !leader->name.empty();
        return (is_named ? leader->name : happened_.player) + " leads now";
    }
    if (happened_.kind == "frozen") return "no more scores are taken";
    if (happened_.kind == "unfrozen") return "scores are taken again";
    if (happened_.kind == "reset") return "all scores are gone: the board was reset";
    return happened_.kind;
}

Result<void> watch(const WatchSettings& settings) {
    auto client = HttpClient::open(settings.client);
    if (!client) return client.error();
    auto questions = HttpClient::open(settings.client);
    if (!questions) return questions.error();
    base::SystemRandom random;
    const auto output = watch_output(settings.format);
    return Watching(*client, *questions, settings, random, *output).run();
}

}  // namespace

int watch_board(const WatchSettings& settings) {
    const StopRequest stop;
    // Who reads no more is found out by writing.
    ::signal(SIGPIPE, SIG_IGN);
    // The screen is gone before anything is said.
    return exit_after(watch(settings));
}

}  // namespace standings::cli
