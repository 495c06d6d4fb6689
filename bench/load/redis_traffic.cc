// The same questions put to a Redis server with the same players in a sorted set: what a careful
// developer would send for them, several commands in one piece where one is not enough.
#include <algorithm>
#include <charconv>

#include "traffic.h"

namespace load {
namespace {

std::string command(std::initializer_list<std::string_view> words) {
    std::string result = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string_view word : words) {
        result += "$" + std::to_string(word.size()) + "\r\n";
        result += word;
        result += "\r\n";
    }
    return result;
}

std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

// Bytes of the one reply at the front, arrays with all that they hold; nothing while it is
// incomplete.
std::optional<std::size_t> reply_bytes(std::string_view buffer) {
    const std::size_t line = buffer.find("\r\n");
    if (line == std::string_view::npos) return std::nullopt;
    std::size_t used = line + 2;
    std::int64_t count = 0;
    std::from_chars(buffer.data() + 1, buffer.data() + line, count);
    if (buffer[0] == '$' && count >= 0) used += static_cast<std::size_t>(count) + 2;
    if (buffer[0] == '*') {
        for (std::int64_t i = 0; i < count; ++i) {
            const auto element = reply_bytes(buffer.substr(std::min(used, buffer.size())));
            if (!element) return std::nullopt;
            used += *element;
        }
    }
    if (used > buffer.size()) return std::nullopt;
    return used;
}

class RedisTraffic : public Traffic {
  public:
    using Traffic::Traffic;

    std::optional<Answer> parse_answer(std::string_view buffer) const override {
        Answer answer;
        const int replies = settings().mode == "standing" ? 2 : 1;
        for (int i = 0; i < replies; ++i) {
            const auto bytes = reply_bytes(buffer.substr(answer.bytes));
            if (!bytes) return std::nullopt;
            answer.bytes += *bytes;
        }
        answer.body = buffer.substr(0, answer.bytes);
        return answer;
    }

    std::optional<std::string> complaint(const Answer& answer,
                                         const Pending& request) const override {
        const std::string expected = right_answer(request);
        if (answer.body == expected) return std::nullopt;
        return "the answer is " + std::string(answer.body.substr(0, 400)) + "\nbut right is " +
               expected.substr(0, 400);
    }

  protected:
    void append(std::string& out, const Pending& request) override {
        const std::string& board = settings().board;
        const std::string& mode = settings().mode;
        const std::string player = player_name(request.player);
        if (mode == "version") out += command({"PING"});
        if (mode == "standing") {
            out += command({"ZREVRANK", board, player});
            out += command({"ZSCORE", board, player});
        }
        if (mode == "top") out += command({"ZREVRANGE", board, "0", "9", "WITHSCORES"});
        if (mode == "around") out += command({"EVALSHA", settings().script, "1", board, player});
        if (mode == "submit") {
            out +=
                command({"EVALSHA", settings().script, "2", board,
                         "key:" + idempotency_key(request), player, std::to_string(request.score)});
        }
    }

  private:
    std::string right_answer(const Pending& request) const {
        const std::string& mode = settings().mode;
        if (mode == "version") return "+PONG\r\n";
        if (mode == "submit") return ":1\r\n";
        if (!known()) fail("reads over the protocol of Redis need --known");
        if (mode == "top") return rows(1, std::min<std::uint64_t>(10, known()->size()));
        if (mode == "around") {
            const Span span = around(request.player);
            return "*2\r\n:" + std::to_string(span.first - 1) + "\r\n" +
                   rows(span.first, span.last);
        }
        return ":" + std::to_string(known()->rank_of(request.player) - 1) + "\r\n" +
               bulk(std::to_string(KnownBoard::score_of(request.player)));
    }

    std::string rows(std::uint64_t first, std::uint64_t last) const {
        std::string result = "*" + std::to_string(2 * (last - first + 1)) + "\r\n";
        for (std::uint64_t rank = first; rank <= last; ++rank) {
            const std::uint64_t player = known()->player_at(rank);
            result += bulk(player_name(player));
            result += bulk(std::to_string(KnownBoard::score_of(player)));
        }
        return result;
    }
};

}  // namespace

std::unique_ptr<Traffic> make_redis_traffic(const Settings& settings) {
    return std::make_unique<RedisTraffic>(settings);
}

}  // namespace load
