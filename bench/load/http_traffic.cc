// The questions put to a Standings server.
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "traffic.h"

namespace load {
namespace {

// Like text.find(part, from), but fast where the first byte of `part` is frequent: quotes are.
std::size_t find(std::string_view text, std::string_view part, std::size_t from = 0) {
    if (from > text.size()) return std::string_view::npos;
    const void* at = memmem(text.data() + from, text.size() - from, part.data(), part.size());
    if (at == nullptr) return std::string_view::npos;
    return static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
}

bool contains(std::string_view text, std::string_view part) {
    return find(text, part) != std::string_view::npos;
}

// The value of the first field of this name; `name` ends in a colon.
std::optional<std::string_view> field(std::string_view head, std::string_view name) {
    for (std::size_t end = head.find('\n'); end != std::string_view::npos; end = head.find('\n')) {
        head.remove_prefix(end + 1);
        if (head.size() < name.size() || strncasecmp(head.data(), name.data(), name.size()) != 0) {
            continue;
        }
        head.remove_prefix(name.size());
        return head.substr(std::min(head.size(), head.find_first_not_of(' ')));
    }
    return std::nullopt;
}

// The number after the first `"name":`.
std::optional<std::int64_t> number_in(std::string_view body, std::string_view name) {
    const std::string member = "\"" + std::string(name) + "\":";
    const std::size_t at = find(body, member);
    if (at == std::string_view::npos) return std::nullopt;
    std::int64_t number = 0;
    const char* const begin = body.data() + at + member.size();
    const auto [end, error] = std::from_chars(begin, body.data() + body.size(), number);
    if (error != std::errc{}) return std::nullopt;
    return number;
}

std::size_t count_of(std::string_view body, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = find(body, part); at != std::string_view::npos;
         at = find(body, part, at + part.size())) {
        ++count;
    }
    return count;
}

class HttpTraffic : public Traffic {
  public:
    explicit HttpTraffic(const Settings& settings)
        : Traffic(settings), most_sent_(settings.known ? settings.players : 0) {
        if (known() && settings.mode == "top") {
            top_ = rows(1, std::min<std::uint64_t>(10, known()->size()));
        }
    }

    // Only answers with a Content-Length are understood: all that this program asks for are.
    std::optional<Answer> parse_answer(std::string_view buffer) const override {
        const std::size_t head_end = buffer.find("\r\n\r\n");
        if (head_end == std::string_view::npos) return std::nullopt;
        Answer answer;
        answer.head = buffer.substr(0, head_end);
        if (answer.head.size() < 12) fail("not an HTTP answer: " + std::string(answer.head));
        std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);

        const auto digits = field(answer.head, "content-length:");
        if (!digits) fail("an answer without a length: " + std::string(answer.head));
        std::size_t length = 0;
        std::from_chars(digits->data(), digits->data() + digits->size(), length);
        answer.bytes = head_end + 4 + length;
        if (buffer.size() < answer.bytes) return std::nullopt;
        answer.body = buffer.substr(head_end + 4, length);
        return answer;
    }

    std::optional<std::string> complaint(const Answer& answer,
                                         const Pending& request) const override {
        if (answer.status != 200) {
            return "status " + std::to_string(answer.status) + ": " +
                   std::string(answer.body.substr(0, 300));
        }
        if (is_right(answer.body, request)) return std::nullopt;
        return "a wrong answer about " + player_name(request.player) + ", score " +
               std::to_string(request.score) + ": " + std::string(answer.body.substr(0, 600));
    }

  protected:
    void append(std::string& out, const Pending& request) override {
        if (settings().mode == "submit") {
            append_submission(out, request);
        } else {
            append_read(out, request);
        }
    }

  private:
    void append_submission(std::string& out, const Pending& request) {
        if (known()) {
            std::int64_t& most = most_sent_[request.player];
            most = std::max(most, request.score);
        }
        const std::string body = "{\"player\":\"" + player_name(request.player) +
                                 "\",\"score\":" + std::to_string(request.score) + "}";
        out +=
            "POST /v1/boards/" + settings().board + "/submissions HTTP/1.1\r\nHost: localhost\r\n";
        append_authorization(out);
        if (settings().idempotency) out += "Idempotency-Key: " + idempotency_key(request) + "\r\n";
        out += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n";
        out += body;
    }

    void append_read(std::string& out, const Pending& request) const {
        const std::string board = "/v1/boards/" + settings().board;
        out += "GET ";
        if (settings().mode == "version") out += "/version";
        if (settings().mode == "top") out += board + "/standings?limit=10";
        if (settings().mode == "standing") out += board + "/players/" + player_name(request.player);
        if (settings().mode == "around") {
            out += board + "/standings?around=" + player_name(request.player) + "&limit=11";
        }
        out += " HTTP/1.1\r\nHost: localhost\r\n";
        append_authorization(out);
        out += "\r\n";
    }

    void append_authorization(std::string& out) const {
        if (!settings().key.empty()) out += "Authorization: Bearer " + settings().key + "\r\n";
    }

    // --- which answers are right ----------------------------------------------------------------

    bool is_right(std::string_view body, const Pending& request) const {
        const std::string& mode = settings().mode;
        if (mode == "version") return contains(body, "\"version\":");
        if (mode == "submit") return is_receipt(body, request);
        if (known()) return is_known(body, request);
        if (mode == "top") return contains(body, "\"rows\":");
        return names(body, request.player) && number_in(body, "rank") >= 1;
    }

    bool names(std::string_view body, std::uint64_t player) const {
        return contains(body, "\"player\":\"" + player_name(player) + "\"");
    }

    // A receipt names the player, a rank and a seq. With the rule `best` the score that it shows is
    // no lower than the one sent and the one the board began with; one that counts is at most the
    // highest that was ever sent for the player.
    bool is_receipt(std::string_view body, const Pending& request) const {
        if (!body.starts_with("{\"outcome\":\"") || !names(body, request.player) ||
            number_in(body, "rank") < 1 || number_in(body, "seq") < 1)
            return false;
        if (!known()) return true;
        const auto shown = number_in(body, "score");
        if (shown < std::max(request.score, KnownBoard::score_of(request.player))) return false;
        return !body.starts_with("{\"outcome\":\"improved\"") ||
               shown <= most_sent_[request.player];
    }

    bool is_known(std::string_view body, const Pending& request) const {
        if (settings().mode == "top") return holds_rows(body, top_);
        if (settings().mode == "standing") {
            return count_of(body, "\"rank\":") == 1 &&
                   contains(body, row(known()->rank_of(request.player)));
        }
        // At either end of the board the window is full; it holds the player's neighbours anyway.
        const Span span = around(request.player);
        return count_of(body, "\"rank\":") == std::min<std::uint64_t>(11, known()->size()) &&
               contains_rows(body, rows(span.first, span.last));
    }

    std::string row(std::uint64_t rank) const {
        const std::uint64_t player = known()->player_at(rank);
        const std::string number = std::to_string(rank);
        std::string text;
        text.reserve(128);
        text += "\"rank\":";
        text += number;
        text += ",\"position\":";
        text += number;
        text += ",\"player\":\"";
        text += player_name(player);
        text += "\",\"score\":";
        text += std::to_string(KnownBoard::score_of(player));
        text += ',';
        return text;
    }

    std::vector<std::string> rows(std::uint64_t first, std::uint64_t last) const {
        std::vector<std::string> result;
        for (std::uint64_t rank = first; rank <= last; ++rank) result.push_back(row(rank));
        return result;
    }

    // All of them in this order.
    static bool contains_rows(std::string_view body, const std::vector<std::string>& rows) {
        std::size_t at = 0;
        for (const std::string& row : rows) {
            at = find(body, row, at);
            if (at == std::string_view::npos) return false;
            at += row.size();
        }
        return true;
    }

    // All of them in this order, and no others.
    static bool holds_rows(std::string_view body, const std::vector<std::string>& rows) {
        return count_of(body, "\"rank\":") == rows.size() && contains_rows(body, rows);
    }

    std::vector<std::string> top_;
    // By player: what requests have been built, whoever answers them first.
    std::vector<std::int64_t> most_sent_;
};

}  // namespace

std::unique_ptr<Traffic> make_http_traffic(const Settings& settings) {
    return std::make_unique<HttpTraffic>(settings);
}

}  // namespace load
