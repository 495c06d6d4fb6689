#include "net/request_parser.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "net/bad_requests.h"
#include "net/parse_harness.h"

namespace standings::net {
namespace {

TEST(RequestParser, RefusesEveryShapeThatCouldHideARequest) {
    for (const auto& bad : bad_requests()) {
        SCOPED_TRACE(bad.shape);
        for (const auto& outcome : {parse_whole(bad.bytes), parse_bytewise(bad.bytes)}) {
            EXPECT_EQ(outcome.status, bad.status);
            EXPECT_EQ(outcome.requests.size(), 0u);
        }
    }
}

TEST(RequestParser, RefusesThemAlsoBehindAGoodRequest) {
    const std::string good = "GET /good HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const auto& bad : bad_requests()) {
        SCOPED_TRACE(bad.shape);
        for (const auto& outcome :
             {parse_whole(good + bad.bytes), parse_bytewise(good + bad.bytes)}) {
            // The one line that is an empty line before a request, which is forgiven.
            EXPECT_EQ(outcome.status, bad.status);
            EXPECT_EQ(outcome.requests.size(), 1u);
        }
    }
}

std::string good_requests() {
    return "GET /v1/boards?limit=5 HTTP/1.1\r\nHost: example.org:8420\r\nAuthorization: Bearer "
           "x\r\n\r\n"
           "\r\n"
           "POST /a HTTP/1.1\r\nhost: [::1]:80\r\nIDEMPOTENCY-KEY: k1\r\nContent-Length: "
           "5\r\n\r\nhello"
           "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nExpect: "
           "100-Continue\r\n\r\n"
           "3\r\nabc\r\n00A;name=\"value\";x\r\n0123456789\r\n0\r\nTrailer: x\r\nHost: b\r\n\r\n"
           "PUT /c HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nIdempotency-Key:\r\n\r\n"
           "OPTIONS * HTTP/1.1\r\nHost: a\r\nX-Tab: a\tb\r\nX-Text: \xc3\xa4\r\n\r\n"
           "GET http://a:1/d?e HTTP/1.1\r\nHost: a:1\r\nConnection: keep-alive, close\r\n\r\n"
           "PURGE /e HTTP/1.1\r\nHost: a\r\n\r\n"
           "GET /f HTTP/1.0\r\n\r\n"
           "GET /g HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
}

TEST(RequestParser, ReadsWhatIsAllowed) {
    const auto outcome = parse_whole(good_requests());
    EXPECT_EQ(outcome.status, 0);
    EXPECT_TRUE(outcome.complete);
    ASSERT_EQ(outcome.requests.size(), 9u);
    const auto& requests = outcome.requests;
    EXPECT_EQ(requests[0].target, "/v1/boards?limit=5");
    EXPECT_EQ(requests[0].authorization, "Bearer x");
    EXPECT_TRUE(requests[0].keep_alive);
    EXPECT_FALSE(requests[0].has_key);
    EXPECT_EQ(requests[1].body, "hello");
    EXPECT_EQ(requests[1].idempotency_key, "k1");
    EXPECT_EQ(requests[2].body, "abc0123456789");
    EXPECT_TRUE(requests[2].expects_continue);
    EXPECT_EQ(requests[3].body, "");
    EXPECT_TRUE(requests[3].has_key);
    EXPECT_EQ(requests[4].target, "*");
    EXPECT_EQ(requests[5].target, "/d?e");
    EXPECT_FALSE(requests[5].keep_alive);
    EXPECT_EQ(requests[6].method, "PURGE");
    EXPECT_FALSE(requests[7].keep_alive);
    EXPECT_TRUE(requests[8].keep_alive);
}

TEST(RequestParser, ReadsTheSameHoweverTheBytesAreCut) {
    const auto bytes = good_requests();
    const auto whole = parse_whole(bytes);
    EXPECT_EQ(parse_bytewise(bytes), whole);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        ASSERT_EQ(parse_in_pieces(bytes, {cut, bytes.size()}), whole) << "cut at " << cut;
    }
}

// A length and a byte may both be wrong: whichever comes first is told, also when all is there.
TEST(RequestParser, MeetsItsBoundsTheSameHoweverTheBytesAreCut) {
    const std::string line = "GET / HTTP/1.1\r\n";
    const std::string field = "X: " + std::string(200, 'a');
    for (const std::string& bytes :
         {std::string("GET\xa0/") + std::string(60, 'a') + "\r\n",
          "GET " + std::string(60, 'a') + " HTTP/1.1", "GET " + std::string(90, 'a') + "\r\n",
          "GET / HTTP/1.1" + std::string(90, 'a') + "\r\n", line + field + "\n",
          line + field + "\r\n b", line + "X: " + std::string(108, 'a') + "\r\n b\r\n\r\n",
          line + "Host: a\r\nA:\r\nB:\r\nC:\r\nD:\r\n\x01"}) {
        reads_the_same_however_cut(bytes);
        reads_the_same_however_cut(bytes, small_limits());
    }
}

TEST(RequestParser, WaitsForTheRestOfAHead) {
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t length = 1; length < head.size(); ++length) {
        const auto outcome = parse_whole(head.substr(0, length));
        EXPECT_FALSE(outcome.complete);
        EXPECT_EQ(outcome.status, 0);
    }
}

TEST(RequestParser, TakesAHeadAtItsLimits) {
    const std::string prefix = "GET / HTTP/1.1\r\nHost: a\r\n";
    std::string fields;
    for (int i = 1; i < 100; ++i) fields += "X: 1\r\n";
    EXPECT_EQ(parse_bytewise(prefix + fields + "\r\n").requests.size(), 1u);

    const std::string target(8192, '/');
    EXPECT_EQ(parse_bytewise("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n").requests.size(), 1u);

    const Limits limits;
    std::string large = prefix + "X: ";
    large.append(limits.max_head_bytes - large.size() - 4, 'a');
    EXPECT_EQ(parse_bytewise(large + "\r\n\r\n").requests.size(), 1u);
}

// Damages good input at random: whatever comes of it, whole and cut input must be read alike.
TEST(RequestParser, ReadsDamagedInputTheSameHoweverItIsCut) {
    const char* const given = std::getenv("STANDINGS_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto good = good_requests();
    constexpr std::string_view kSpice("\r\n \t:;,0fF\0\x7f#*/HTTP", 19);
    for (int run = 0; run < 3000; ++run) {
        auto bytes = good;
        for (auto damage = random() % 4; damage > 0 || bytes == good;) {
            const auto at = random() % bytes.size();
            switch (random() % 3) {
                case 0:
                    bytes[at] = kSpice[random() % kSpice.size()];
                    break;
                case 1:
                    bytes.erase(at, 1);
                    break;
                default:
                    bytes.insert(at, 1, kSpice[random() % kSpice.size()]);
            }
            if (damage > 0) --damage;
        }
        const auto whole = parse_whole(bytes);
        ASSERT_EQ(parse_bytewise(bytes), whole) << bytes;
        ASSERT_EQ(parse_in_pieces(bytes, {1 + random() % bytes.size(), 1 + random() % 7}), whole)
            << bytes;
    }
}

}  // namespace
}  // namespace standings::net
