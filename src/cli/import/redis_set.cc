#include "cli/import/redis_set.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>

namespace standings::cli {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr timeval kConnectTime{5, 0};
constexpr timeval kAnswerTime{30, 0};
constexpr std::string_view kMembersAtATime = "1000";

Error wrong_address(const std::string& why) {
    return {ErrorCode::kSettings,
            "--from is redis://[:password@]host[:port][/database]/key: " + why};
}

std::optional<int> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto high =
            text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
        const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
        if (low) {
            out += static_cast<char>(*high * 16 + *low);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
    const auto [at, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
    return failure == std::errc{} && at == text.data() + text.size();
}

struct ContextCloser {
    void operator()(redisContext* context) const { redisFree(context); }
};
struct ReplyCloser {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, ReplyCloser>;

std::string_view text_of(const redisReply& reply) {
    return {reply.str, reply.len};
}

// One connection that has said who it is.
class Connection {
  public:
    static Result<Connection> open(const RedisAddress& address);
    // Fails with what the server says.
    Result<Reply> ask(std::initializer_list<std::string_view> words);

  private:
    Connection(std::unique_ptr<redisContext, ContextCloser> context, std::string name)
        : context_(std::move(context)), name_(std::move(name)) {}

    std::unique_ptr<redisContext, ContextCloser> context_;
    std::string name_;  // for messages
};

Result<Connection> Connection::open(const RedisAddress& address) {
    std::string name = "Redis at " + address.host + ":" + std::to_string(address.port);
    std::unique_ptr<redisContext, ContextCloser> context(
        redisConnectWithTimeout(address.host.c_str(), address.port, kConnectTime));
    if (!context || context->err != 0) {
        return Error{ErrorCode::kIo, "cannot reach " + name + ": " +
                                         (context ? context->errstr : "no memory for it")};
    }
    redisSetTimeout(context.get(), kAnswerTime);
    Connection connection(std::move(context), std::move(name));
    if (!address.password.empty()) {
        const auto reply = address.user.empty()
                               ? connection.ask({"AUTH", address.password})
                               : connection.ask({"AUTH", address.user, address.password});
        if (!reply) return reply.error();
    }
    if (address.database != 0) {
        const auto reply = connection.ask({"SELECT", std::to_string(address.database)});
        if (!reply) return reply.error();
    }
    return connection;
}

Result<Reply> Connection::ask(std::initializer_list<std::string_view> words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string_view word : words) {
        texts.push_back(word.data());
        sizes.push_back(word.size());
    }
    Reply reply(static_cast<redisReply*>(redisCommandArgv(
        context_.get(), static_cast<int>(texts.size()), texts.data(), sizes.data())));
    if (!reply) return Error{ErrorCode::kIo, name_ + " does not answer: " + context_->errstr};
    if (reply->type == REDIS_REPLY_ERROR)
        return Error{ErrorCode::kIo, name_ + " says: " + std::string(text_of(*reply))};
    return reply;
}

// What ZSCAN gave: the next cursor, and member, score, member, score ...
Result<std::string> take_members(const redisReply& reply, std::vector<RedisMember>& out) {
    const Error strange{ErrorCode::kIo, "the answer to ZSCAN is not one of Redis"};
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 2) return strange;
    const redisReply& cursor = *reply.element[0];
    const redisReply& items = *reply.element[1];
    if (cursor.type != REDIS_REPLY_STRING || items.type != REDIS_REPLY_ARRAY ||
        items.elements % 2 != 0) {
        return strange;
    }
    for (std::size_t i = 0; i < items.elements; i += 2) {
        RedisMember member{std::string(text_of(*items.element[i])), 0};
        if (!read_number(text_of(*items.element[i + 1]), member.score)) return strange;
        out.push_back(std::move(member));
    }
    return std::string(text_of(cursor));
}

// A member that came twice counts with the score that came last.
void drop_duplicates(std::vector<RedisMember>& members) {
    std::stable_sort(
        members.begin(), members.end(),
        [](const RedisMember& a, const RedisMember& b) { return a.member < b.member; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const bool last = i + 1 == members.size() || members[i + 1].member != members[i].member;
        if (!last) continue;
        if (kept != i) members[kept] = std::move(members[i]);
        ++kept;
    }
    members.resize(kept);
}

}  // namespace

Result<RedisAddress> parse_redis_address(std::string_view text) {
    const std::size_t scheme = text.find("://");
    const std::string_view name = text.substr(0, scheme);
    if (scheme == std::string_view::npos || (name != "redis" && name != "valkey"))
        return wrong_address("it begins with redis:// or valkey://");
    std::string_view rest = text.substr(scheme + 3);
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return wrong_address("the key is missing");
    std::string_view place = rest.substr(0, slash);
    std::string_view path = rest.substr(slash + 1);

    RedisAddress address;
    if (const std::size_t at = place.rfind('@'); at != std::string_view::npos) {
        const std::string_view who = place.substr(0, at);
        place.remove_prefix(at + 1);
        const std::size_t colon = who.find(':');
        if (colon == std::string_view::npos)
            return wrong_address("a password stands behind a colon");
        address.user = percent_decoded(who.substr(0, colon));
        address.password = percent_decoded(who.substr(colon + 1));
    }
    const bool bracketed = place.starts_with('[');
    const std::size_t host_end = bracketed ? place.find(']') : place.find(':');
    if (bracketed && host_end == std::string_view::npos)
        return wrong_address("the bracket is not closed");
    address.host = place.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
    std::string_view port =
        host_end == std::string_view::npos ? "" : place.substr(host_end + (bracketed ? 1 : 0));
    if (address.host.empty()) return wrong_address("the host is missing");
    if (!port.empty() && (port[0] != ':' || !read_number(port.substr(1), address.port)))
        return wrong_address("the port is a number up to 65535");

    const std::size_t key_at = path.find('/');
    if (key_at != std::string_view::npos && read_number(path.substr(0, key_at), address.database))
        path.remove_prefix(key_at + 1);
    address.key = percent_decoded(path);
    if (address.key.empty()) return wrong_address("the key is missing");
    return address;
}

Result<std::vector<RedisMember>> fetch_sorted_set(
    const RedisAddress& address, RedisOrder order,
    const std::function<bool(std::uint64_t, std::uint64_t)>& tick) {
    auto connection = Connection::open(address);
    if (!connection) return connection.error();
    const auto size = connection->ask({"ZCARD", address.key});
    if (!size) return size.error();
    const auto total = static_cast<std::uint64_t>(std::max<long long>((*size)->integer, 0));
    if (total == 0) {
        return Error{ErrorCode::kIo, "there is no sorted set '" + address.key + "' in database " +
                                         std::to_string(address.database) + " of " + address.host};
    }
    std::vector<RedisMember> members;
    members.reserve(total);
    std::string cursor = "0";
    do {
        const auto reply =
            connection->ask({"ZSCAN", address.key, cursor, "COUNT", kMembersAtATime});
        if (!reply) return reply.error();
        auto next = take_members(**reply, members);
        if (!next) return next.error();
        cursor = *std::move(next);
        if (!tick(members.size(), total))
            return Error{ErrorCode::kDraining, "interrupted before anything was sent"};
    } while (cursor != "0");
    drop_duplicates(members);
    std::sort(members.begin(), members.end(), [order](const RedisMember& a, const RedisMember& b) {
        const RedisMember& first = order == RedisOrder::kHighestFirst ? b : a;
        const RedisMember& second = order == RedisOrder::kHighestFirst ? a : b;
        if (first.score != second.score) return first.score < second.score;
        return first.member < second.member;
    });
    return members;
}

std::string shortest_decimal(double value) {
    std::array<char, 512> text{};  // the longest has 1 + 2 + 324 + 17 characters
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
    return {text.data(), end};
}

std::string round_decimal(std::string_view text, std::uint8_t decimals) {
    const std::size_t point = text.find('.');
    if (point == std::string_view::npos || text.size() - point - 1 <= decimals)
        return std::string(text);
    const bool up = text[point + 1 + decimals] >= '5';
    std::string out(text.substr(0, decimals == 0 ? point : point + 1 + decimals));
    if (!up) return out;
    std::size_t at = out.size();
    while (at > 0) {
        char& c = out[at - 1];
        if (c == '-') break;
        --at;
        if (c == '.') continue;
        if (c != '9') return ++c, out;
        c = '0';
    }
    out.insert(at, 1, '1');
    return out;
}

}  // namespace standings::cli
