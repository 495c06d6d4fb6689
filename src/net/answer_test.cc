#include "net/answer.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "net/address_limits.h"

namespace standings::net {
namespace {

constexpr std::string_view kDate = "Date: now\r\n";

std::string written(const Response& response, AnswerForm form = {}) {
    Buffer out;
    write_answer(out, response, form, kDate);
    return std::string(out.view());
}

TEST(Answer, HasAHeadAndABody) {
    EXPECT_EQ(written({.content_type = "a/b", .headers = "X: 1\r\n", .body = "hello"}),
              "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: a/b\r\nX: 1\r\nContent-Length: 5\r\n"
              "\r\nhello");
    EXPECT_EQ(
        written({.status = 404}, {.close = true}),
        "HTTP/1.1 404 Not Found\r\nDate: now\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(written({.body = "hello"}, {.to_head = true}),
              "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(written({.status = 304, .body = "hello"}),
              "HTTP/1.1 304 Not Modified\r\nDate: now\r\n\r\n");
}

TEST(Answer, WritesChunks) {
    Buffer out;
    write_chunk(out, std::string(26, 'x'));
    write_chunk(out, "");
    out.append(kLastChunk);
    EXPECT_EQ(out.view(), "1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
}

TEST(Answer, NamesTheDayLikeTheLibraryDoes) {
    DateLine date;
    for (const std::time_t time : {0L, 951'782'400L, 1'795'219'200L, 4'102'444'799L}) {
        date.update(time);
        std::tm parts{};
        ::gmtime_r(&time, &parts);
        char expected[64];
        std::strftime(expected, sizeof expected, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        EXPECT_EQ(date.line(), expected);
    }
}

TEST(Buffer, KeepsBytesInOrderWhileItGrowsAndShrinks) {
    Buffer buffer;
    std::string model;
    for (int i = 0; i < 2000; ++i) {
        const std::string piece(static_cast<std::size_t>(i * 7 % 311),
                                static_cast<char>('a' + i % 26));
        buffer.append(piece);
        model += piece;
        const auto taken =
            std::min<std::size_t>(model.size(), static_cast<std::size_t>(i * 13 % 290));
        buffer.consume(taken);
        model.erase(0, taken);
        ASSERT_EQ(buffer.view(), model);
    }
    EXPECT_LT(buffer.capacity(), 4 * model.size() + 16 * 1024);
}

TEST(AddressLimits, CountConnectionsInAllAndPerAddress) {
    using Verdict = AddressLimits::Verdict;
    AddressLimits limits(4, 2);
    EXPECT_EQ(limits.admit("a"), Verdict::kWelcome);
    EXPECT_EQ(limits.admit("a"), Verdict::kWelcome);
    EXPECT_EQ(limits.admit("a"), Verdict::kTooManyOfAddress);
    EXPECT_EQ(limits.admit(""), Verdict::kWelcome);
    EXPECT_EQ(limits.admit("b"), Verdict::kWelcome);
    EXPECT_EQ(limits.admit("b"), Verdict::kFull);
    limits.leave("a");
    EXPECT_EQ(limits.admit("a"), Verdict::kWelcome);
}

}  // namespace
}  // namespace standings::net
