#include "net/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>

#include "net/bad_requests.h"
#include "net/test_client.h"

namespace standings::net {
namespace {

using namespace std::chrono_literals;

TEST(Server, AnswersRequestAfterRequestOnOneConnection) {
    TestServer server;
    Client client(server.port());
    for (int i = 0; i < 3; ++i) {
        const auto answer = client.get("/hello");
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "/hello");
        EXPECT_TRUE(answer.head.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << answer.head;
        EXPECT_TRUE(answer.has(" GMT\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n"));
    }
    const auto answer =
        client.request(get_line("/headers", "Authorization: Bearer x\r\nTraceparent: 00-1\r\n"));
    EXPECT_EQ(answer.body, "Bearer x|00-1|127.0.0.1");
    EXPECT_TRUE(answer.has("X-Own: 1\r\n"));
}

TEST(Server, RefusesBadRequestsAndClosesInOrder) {
    TestServer server;
    for (const auto& bad : bad_requests()) {
        SCOPED_TRACE(bad.shape);
        for (const bool bytewise : {false, true}) {
            Client client(server.port());
            if (bytewise) {
                client.send_bytewise(bad.bytes);
            } else {
                client.send(bad.bytes);
            }
            const auto answer = client.read();
            EXPECT_EQ(answer.status, bad.status);
            EXPECT_TRUE(answer.has("Connection: close\r\n"));
            EXPECT_TRUE(answer.has("Content-Type: application/problem+json\r\n"));
            EXPECT_TRUE(answer.has("X-Problem: yes\r\n"));
            EXPECT_FALSE(answer.body.empty());
            EXPECT_TRUE(client.is_closed());
        }
    }
}

TEST(Server, AnswersWhatCameBeforeABadRequestAndNothingAfterIt) {
    TestServer server;
    Client client(server.port());
    client.send(get_line("/a") + "GET / HTTP/1.1\r\n\r\n" + get_line("/b"));
    EXPECT_EQ(client.read().body, "/a");
    EXPECT_EQ(client.read().status, 400);
    EXPECT_TRUE(client.is_closed());
}

TEST(Server, KeepsARefusalInOrderBehindALaterAnswer) {
    TestServer server;
    Client client(server.port());
    client.send(get_line("/later/1") + "nonsense\r\n\r\n");
    server.answer("/later/1");
    EXPECT_EQ(client.read().body, "answer /later/1");
    EXPECT_EQ(client.read().status, 400);
    EXPECT_TRUE(client.is_closed());
}

TEST(Server, ReadsBodiesHoweverTheyAreSent) {
    TestServer server;
    const std::string body(70'000, 'x');
    const std::string requests[] = {
        post("/echo", "hello"),
        chunked_post("/echo") + chunk("hel") + chunk("lo") + "0\r\nTrailer: x\r\n\r\n",
    };
    for (const auto& request : requests) {
        Client whole(server.port());
        EXPECT_EQ(whole.request(request).body, "hello");
        whole.send_bytewise(request + request);
        EXPECT_EQ(whole.read().body, "hello");
        EXPECT_EQ(whole.read().body, "hello");
    }
    Client client(server.port());
    client.send(post("/echo", body) + get_line("/next"));
    EXPECT_EQ(client.read().body, body);
    EXPECT_EQ(client.read().body, "/next");
    client.send(chunked_post("/echo") + chunk(body) + "0\r\n\r\n" + get_line("/next"));
    EXPECT_EQ(client.read().body, body);
    EXPECT_EQ(client.read().body, "/next");
}

TEST(Server, RefusesABodyThatIsTooLarge) {
    TestServer server;
    {
        // Known from the head: the body need not be sent.
        Client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n");
        EXPECT_EQ(client.read().status, 413);
        EXPECT_TRUE(client.is_closed());
    }
    {
        // Sent all the same: the answer is not lost in a reset.
        Client client(server.port());
        client.send(post("/echo", std::string(1'000'000, 'x')));
        EXPECT_EQ(client.read().status, 413);
        EXPECT_TRUE(client.is_closed());
    }
    {
        Client client(server.port());
        client.send(chunked_post("/echo"));
        for (int i = 0; i < 11; ++i) client.send(chunk(std::string(10'000, 'x')));
        EXPECT_EQ(client.read().status, 413);
        EXPECT_TRUE(client.is_closed());
    }
    Client client(server.port());
    EXPECT_EQ(client.request(post("/echo", std::string(100'000, 'x'))).body.size(), 100'000u);
}

TEST(Server, AnswersHeadWithTheLengthButNotTheBody) {
    TestServer server;
    Client client(server.port());
    client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + get_line("/next"));
    const auto answer = client.read(true);
    EXPECT_TRUE(answer.has("Content-Length: 6\r\n"));
    EXPECT_EQ(client.read().body, "/next");

    client.send("HEAD /chunks HTTP/1.1\r\nHost: a\r\n\r\n" + get_line("/next"));
    EXPECT_TRUE(client.read(true).has("Transfer-Encoding: chunked\r\n"));
    EXPECT_EQ(client.read().body, "/next");
}

TEST(Server, SendsNoBodyWith204And304) {
    TestServer server;
    Client client(server.port());
    for (const auto* target : {"/status/204", "/status/304"}) {
        const auto answer = client.get(target);
        EXPECT_FALSE(answer.has("Content-Length"));
        EXPECT_EQ(client.get("/next").body, "/next");
    }
    EXPECT_TRUE(client.get("/status/299").has("HTTP/1.1 299 \r\n"));
}

TEST(Server, KeepsAConnectionAsItsVersionSays) {
    TestServer server;
    {
        Client client(server.port());
        client.send("GET /a HTTP/1.0\r\n\r\n");
        EXPECT_TRUE(client.read().has("Connection: close\r\n"));
        EXPECT_TRUE(client.is_closed());
    }
    {
        Client client(server.port());
        for (int i = 0; i < 2; ++i) {
            client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
            EXPECT_TRUE(client.read().has("Connection: keep-alive\r\n"));
        }
    }
    {
        Client client(server.port());
        client.send(get_line("/a", "Connection: close\r\n") + get_line("/b"));
        EXPECT_TRUE(client.read().has("Connection: close\r\n"));
        EXPECT_TRUE(client.is_closed());
    }
    {
        Client client(server.port());
        client.send(get_line("/close") + get_line("/b"));
        EXPECT_TRUE(client.read().has("Connection: close\r\n"));
        EXPECT_TRUE(client.is_closed());
    }
}

TEST(Server, AnswersAClientThatSendsItsEndFirst) {
    TestServer server;
    Client client(server.port());
    client.send(get_line("/a") + get_line("/later/1") + "GET /half");
    client.shutdown_write();
    EXPECT_EQ(client.read().body, "/a");
    server.answer("/later/1");
    EXPECT_EQ(client.read().body, "answer /later/1");
    EXPECT_TRUE(client.is_closed());
}

TEST(Server, KeepsPipelinedAnswersInTheOrderOfTheRequests) {
    TestServer server;
    Client client(server.port());
    client.send(get_line("/later/1") + get_line("/b") + get_line("/later/2") + get_line("/chunks") +
                get_line("/later/3") + get_line("/d"));
    server.answer("/later/3");
    server.answer("/later/2");
    EXPECT_EQ(server.on_loop([&] { return server.script->held.at("/later/1").unsent_bytes(); }), 0U)
        << "what lies behind it";
    server.answer("/later/1");
    for (const auto* body :
         {"answer /later/1", "/b", "answer /later/2", "onetwothree", "answer /later/3", "/d"}) {
        EXPECT_EQ(client.read().body, body);
    }
    EXPECT_EQ(client.get("/next").body, "/next");
}

TEST(Server, StreamsALaterAnswerBehindAnEarlierOne) {
    TestServer server;
    Client client(server.port());
    client.send(get_line("/later/1") + get_line("/later/2") + get_line("/c"));
    ASSERT_TRUE(server.saw("/later/2"));
    server.on_loop([&] {
        server.script->held["/later/2"].begin({.body = "x"});
        server.script->held["/later/2"].write("y");
    });
    server.answer("/later/1");
    EXPECT_EQ(client.read().body, "answer /later/1");
    EXPECT_EQ(client.read_head().status, 200);
    EXPECT_EQ(client.read_chunk(), "x");
    EXPECT_EQ(client.read_chunk(), "y");
    server.on_loop([&] { server.script->held["/later/2"].write("z"); });
    EXPECT_EQ(client.read_chunk(), "z");
    server.on_loop([&] { server.script->held["/later/2"].end(); });
    EXPECT_EQ(client.read_chunk(), "");
    EXPECT_EQ(client.read().body, "/c");
}

TEST(Server, AnswersTenThousandPipelinedRequests) {
    TestServer server;
    Client client(server.port());
    constexpr int kRequests = 10'000;
    std::thread sender([&] {
        std::string all;
        for (int i = 0; i < kRequests; ++i) all += get_line("/" + std::to_string(i));
        client.send(all);
    });
    for (int i = 0; i < kRequests; ++i) {
        const auto answer = client.read();
        ASSERT_EQ(answer.body, "/" + std::to_string(i));
    }
    sender.join();
    EXPECT_EQ(server.server->counters().requests, static_cast<std::uint64_t>(kRequests));
    EXPECT_EQ(server.server->counters().responses_by_class[2],
              static_cast<std::uint64_t>(kRequests));
}

TEST(Server, StopsReadingWhenTooManyAnswersAreOwed) {
    TestServer server({.max_pipelined = 4});
    Client client(server.port());
    std::string all;
    for (int i = 0; i < 20; ++i) all += get_line("/later/" + std::to_string(i));
    client.send(all);
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(server.saw("/later/" + std::to_string(i)));
        EXPECT_LE(server.on_loop([&] { return server.script->events.size(); }),
                  static_cast<std::size_t>(i) + 4);
        server.answer("/later/" + std::to_string(i));
        EXPECT_EQ(client.read().body, "answer /later/" + std::to_string(i));
    }
}

TEST(Server, StreamsAnAnswerInChunksOrUpToTheEnd) {
    TestServer server;
    Client client(server.port());
    const auto answer = client.get("/chunks");
    EXPECT_TRUE(answer.has("Transfer-Encoding: chunked\r\n"));
    EXPECT_EQ(answer.body, "onetwothree");

    Client old(server.port());
    old.send("GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto until_end = old.read();
    EXPECT_FALSE(until_end.has("Transfer-Encoding"));
    EXPECT_TRUE(until_end.has("Connection: close\r\n"));
    EXPECT_EQ(until_end.body, "onetwothree");
}

TEST(Server, SendsContinueOnlyWhenTheBodyIsWanted) {
    TestServer server;
    const std::string expect = "Expect: 100-continue\r\n";
    {
        Client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + expect + "\r\n");
        EXPECT_EQ(client.read().status, 100);
        client.send("hello");
        EXPECT_EQ(client.read().body, "hello");
    }
    {
        Client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n" + expect +
                    "\r\n");
        EXPECT_EQ(client.read().status, 413);
        EXPECT_TRUE(client.is_closed());
    }
    {
        Client client(server.port());
        client.send(chunked_post("/stream/refused", expect));
        EXPECT_EQ(client.read().status, 401);
        EXPECT_TRUE(client.is_closed());
    }
    {
        Client client(server.port());
        client.send(get_line("/later/1") + chunked_post("/stream/echo", expect));
        server.answer("/later/1");
        EXPECT_EQ(client.read().body, "answer /later/1");
        EXPECT_EQ(client.read().status, 100);
        client.send(chunk("hello") + "0\r\n\r\n");
        EXPECT_EQ(client.read().body, "hello");
    }
    {
        // It does not wait: no 100 is due.
        Client client(server.port());
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + expect +
                    "\r\nhello");
        EXPECT_EQ(client.read().body, "hello");
    }
}

TEST(Server, StreamsABodyToItsHandler) {
    TestServer server;
    Client client(server.port());
    const std::string piece(50'000, 'p');
    std::string all = chunked_post("/stream/echo");
    for (int i = 0; i < 10; ++i) all += chunk(piece);
    client.send(all + "0\r\n\r\n" + get_line("/next"));
    EXPECT_EQ(client.read().body.size(), 500'000u);
    EXPECT_EQ(client.read().body, "/next");
    EXPECT_TRUE(server.saw("destroyed /stream/echo"));

    server.on_loop([&] { server.script->stream_bodies.clear(); });
    client.send_bytewise(post("/stream/echo", "hello") + chunked_post("/stream/empty") +
                         "0\r\n\r\n");
    EXPECT_EQ(client.read().body, "hello");
    EXPECT_TRUE(server.saw("end /stream/empty"));
    server.on_loop([&] { server.script->held["/stream/empty"].send({.body = "done"}); });
    EXPECT_EQ(client.read().body, "done");
}

TEST(Server, AnswersLineByLineWhileTheBodyStillComes) {
    TestServer server;
    server.on_loop([&] {
        server.script->on_piece = [begun = false](const std::string&, std::string_view piece,
                                                  Exchange& exchange) mutable {
            if (!begun) exchange.begin({.content_type = "application/x-ndjson"});
            begun = true;
            exchange.write(piece);
        };
    });
    Client client(server.port());
    client.send(chunked_post("/stream/lines") + chunk("line 1\n"));
    EXPECT_EQ(client.read_head().status, 200);
    EXPECT_EQ(client.read_chunk(), "line 1\n");
    for (int i = 2; i < 50; ++i) {
        const auto line = "line " + std::to_string(i) + "\n";
        client.send(chunk(line));
        EXPECT_EQ(client.read_chunk(), line);
    }
    client.send("0\r\n\r\n");
    EXPECT_EQ(client.read_chunk(), "");
    EXPECT_EQ(client.get("/next").body, "/next");
}

TEST(Server, PausesABodyUntilItsHandlerWantsMore) {
    TestServer server;
    server.on_loop([&] { server.script->pause_each_piece = true; });
    Client client(server.port());
    client.send(chunked_post("/stream/echo") + chunk("a") + chunk("b") + "0\r\n\r\n");
    std::string expected;
    for (const char c : {'a', 'b'}) {
        expected += c;
        EXPECT_TRUE(server.eventually(
            [&] { return server.script->stream_bodies["/stream/echo"] == expected; }));
        server.on_loop([&] { server.script->held["/stream/echo"].resume_body(); });
    }
    EXPECT_EQ(client.read().body, "ab");
}

TEST(Server, EndsABodyThatWasPausedAtItsLastByte) {
    TestServer server;
    server.on_loop([&] { server.script->pause_each_piece = true; });
    Client client(server.port());
    client.send("POST /stream/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nlast");
    EXPECT_TRUE(
        server.eventually([&] { return server.script->stream_bodies["/stream/echo"] == "last"; }));
    server.on_loop([&] { server.script->held["/stream/echo"].resume_body(); });
    EXPECT_EQ(client.read().body, "last");
}

TEST(Server, TellsTheSinkWhenTheBodyBreaksOff) {
    TestServer server;
    {
        Client client(server.port());
        client.send(chunked_post("/stream/cut") + chunk("a"));
        ASSERT_TRUE(server.saw("begin /stream/cut"));
    }
    EXPECT_TRUE(server.saw("abort /stream/cut"));
    EXPECT_TRUE(server.saw("destroyed /stream/cut"));
    EXPECT_FALSE(server.on_loop([&] { return server.script->held["/stream/cut"].open(); }));
    {
        Client client(server.port());
        client.send(chunked_post("/stream/half") + chunk("a"));
        client.shutdown_write();
        EXPECT_TRUE(client.is_gone());
    }
    EXPECT_TRUE(server.saw("abort /stream/half"));
    {
        Client client(server.port());
        client.send(chunked_post("/stream/bad") + chunk("a") + "nonsense\r\n");
        EXPECT_EQ(client.read().status, 400);
        EXPECT_TRUE(client.is_closed());
    }
    EXPECT_TRUE(server.saw("abort /stream/bad"));
    {
        // Its answer has begun: the missing last chunk tells the client.
        server.on_loop([&] {
            server.script->on_piece = [](const std::string&, std::string_view, Exchange& exchange) {
                exchange.begin({.body = "x"});
            };
        });
        Client client(server.port());
        client.send(chunked_post("/stream/begun") + chunk("a"));
        EXPECT_EQ(client.read_head().status, 200);
        client.send("nonsense\r\n");
        EXPECT_EQ(client.read_chunk(), "x");
        EXPECT_EQ(client.read_chunk(), std::nullopt);
    }
    EXPECT_TRUE(server.saw("abort /stream/begun"));
}

TEST(Server, EndsAConnectionWhoseAnswerIsDropped) {
    TestServer server;
    {
        Client client(server.port());
        client.send(get_line("/a") + get_line("/drop") + get_line("/b"));
        EXPECT_EQ(client.read().body, "/a");
        EXPECT_TRUE(client.is_closed());
    }
    {
        Client client(server.port());
        client.send(get_line("/later/1") + get_line("/drop") + get_line("/b"));
        server.answer("/later/1");
        EXPECT_EQ(client.read().body, "answer /later/1");
        EXPECT_TRUE(client.is_closed());
    }
    {
        Client client(server.port());
        client.send(get_line("/a") + get_line("/abort") + get_line("/b"));
        EXPECT_TRUE(client.is_gone());
        EXPECT_TRUE(client.received().find("/b") == std::string::npos);
    }
}

TEST(Server, ForgetsAnswersForAClientThatIsGone) {
    TestServer server;
    {
        Client client(server.port());
        client.send(get_line("/later/1") + get_line("/later/2"));
        ASSERT_TRUE(server.saw("/later/2"));
        // Closing with unread bytes sends a reset.
        server.on_loop([&] { server.script->held["/later/1"].send({.body = "x"}); });
        while (client.received().empty()) client.receive();
        server.on_loop([&] { server.script->held["/later/2"].begin({.body = "y"}); });
    }
    EXPECT_TRUE(server.eventually([&] {
        auto& exchange = server.script->held["/later/2"];
        exchange.write("z");
        return !exchange.open();
    }));
    server.on_loop([&] { server.script->held["/later/2"].end(); });
}

// Many clients send requests of all kinds, cut anywhere, and read at their own pace; some leave
// early.
TEST(Server, KeepsEveryConnectionInOrderUnderRandomUse) {
    const char* const given = std::getenv("STANDINGS_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    SCOPED_TRACE("STANDINGS_SEED=" + std::to_string(seed));
    const char* const scale = std::getenv("STANDINGS_TEST_SCALE");
    const int rounds = 25 * (scale ? std::atoi(scale) : 1);

    TestServer server({.max_pipelined = 8, .max_unsent_bytes = 20'000}, 2);
    const auto use = [&](std::uint64_t own_seed) {
        std::mt19937_64 random(own_seed);
        for (int round = 0; round < rounds; ++round) {
            std::string bytes;
            std::vector<std::string> bodies;
            for (auto count = 1 + random() % 30; count > 0; --count) {
                const auto name = std::to_string(random() % 1000);
                const std::string text(random() % 3 == 0 ? random() % 30'000 : random() % 50, 't');
                switch (random() % 6) {
                    case 0:
                        bytes += post("/echo", text);
                        bodies.push_back(text);
                        break;
                    case 1:
                        bytes += chunked_post("/echo") + (text.empty() ? "" : chunk(text)) +
                                 chunk("x") + "0\r\n\r\n";
                        bodies.push_back(text + "x");
                        break;
                    case 2:
                        bytes += get_line("/chunks");
                        bodies.push_back("onetwothree");
                        break;
                    case 3:
                    case 4:
                        bytes += get_line("/soon/" + name);
                        bodies.push_back("/soon/" + name);
                        break;
                    default:
                        bytes += get_line("/" + name);
                        bodies.push_back("/" + name);
                }
            }
            Client client(server.port());
            const bool leaves_early = random() % 5 == 0;
            if (leaves_early) bytes.resize(random() % bytes.size());
            std::thread sender([&, cuts = std::mt19937_64(random())]() mutable {
                for (std::string_view rest = bytes; !rest.empty();) {
                    const auto length =
                        std::min(rest.size(), 1 + cuts() % (cuts() % 2 ? 5'000 : 40));
                    if (!client.send(rest.substr(0, length))) return;
                    rest.remove_prefix(length);
                }
            });
            if (!leaves_early) {
                for (const auto& body : bodies) {
                    const auto answer = client.read();
                    EXPECT_EQ(answer.status, 200);
                    EXPECT_EQ(answer.body, body);
                }
            }
            sender.join();
        }
    };
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) threads.emplace_back(use, seed + t);
    for (auto& thread : threads) thread.join();
    server.server->drain(10s);
    EXPECT_EQ(server.server->counters().connections_open, 0u);
}

}  // namespace
}  // namespace standings::net
