// Answers that are made as fast as they are read, and how slowly they may be.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>

#include "net/server.h"
#include "net/test_client.h"

namespace standings::net {
namespace {

using namespace std::chrono_literals;

// Writes `pieces` pieces, each when the client has read what came before.
void write_as_it_is_read(TestServer& server, const std::string& target, int pieces,
                         std::size_t piece_bytes, std::size_t* worst) {
    auto& exchange = server.script->held.at(target);
    if (worst != nullptr) *worst = std::max(*worst, exchange.unsent_bytes());
    if (!exchange.open()) {
        server.script->events.push_back("gone " + target);
        return;
    }
    if (pieces == 0) {
        server.script->events.push_back("done " + target);
        return exchange.end();
    }
    exchange.write(std::string(piece_bytes, 'p'));
    exchange.when_unsent_at_most(piece_bytes, [&server, target, pieces, piece_bytes, worst] {
        write_as_it_is_read(server, target, pieces - 1, piece_bytes, worst);
    });
}

TEST(LongAnswer, MakesALongAnswerAsFastAsItIsRead) {
    TestServer server;
    std::size_t worst = 0;
    Client client(server.port(), 4096);
    client.send(get_line("/later/1"));
    ASSERT_TRUE(server.saw("/later/1"));
    server.on_loop([&] {
        server.script->held.at("/later/1").begin({});
        write_as_it_is_read(server, "/later/1", 500, 50'000, &worst);
    });
    // It stops when the sockets are full, and goes on when somebody reads.
    const auto idle = [&] { return server.script->held.at("/later/1").unsent_bytes() > 50'000; };
    EXPECT_TRUE(server.eventually(idle));
    EXPECT_EQ(client.read().body.size(), 500u * 50'000u);
    EXPECT_TRUE(server.saw("done /later/1"));
    EXPECT_LE(server.on_loop([&] { return worst; }), 50'000u);
    EXPECT_EQ(client.get("/next").body, "/next");
}

TEST(LongAnswer, MakesALongAnswerWhileOthersWaitBehindIt) {
    TestServer server;
    Client client(server.port(), 4096);
    // Behind it is more than it would wait for.
    client.send(get_line("/later/1") + get_line("/big/200000") + get_line("/big/200001"));
    ASSERT_TRUE(server.saw("/later/1"));
    server.on_loop([&] {
        server.script->held.at("/later/1").begin({});
        write_as_it_is_read(server, "/later/1", 100, 50'000, nullptr);
    });
    EXPECT_EQ(client.read().body.size(), 100u * 50'000u);
    EXPECT_EQ(client.read().body.size(), 200'000u);
    EXPECT_EQ(client.read().body.size(), 200'001u);
}

TEST(LongAnswer, MakesTwoLongAnswersOfOneConnectionOneBehindTheOther) {
    for (const bool first_begins : {true, false}) {
        TestServer server;
        Client client(server.port(), 4096);
        client.send(get_line("/later/1") + get_line("/later/2") + get_line("/next"));
        ASSERT_TRUE(server.saw("/later/2"));
        std::size_t worst = 0;
        for (const bool first : {first_begins, !first_begins}) {
            const std::string target = first ? "/later/1" : "/later/2";
            server.on_loop([&] {
                server.script->held.at(target).begin({});
                write_as_it_is_read(server, target, first ? 100 : 99, 50'000, &worst);
            });
        }
        EXPECT_EQ(client.read().body.size(), 100u * 50'000u);
        EXPECT_EQ(client.read().body.size(), 99u * 50'000u);
        EXPECT_EQ(client.read().body, "/next");
        // A piece of each, and what one begins with.
        EXPECT_LE(server.on_loop([&] { return worst; }), 101'000u);
        EXPECT_TRUE(server.saw("done /later/1"));
        EXPECT_TRUE(server.saw("done /later/2"));
    }
}

TEST(LongAnswer, TellsALongAnswerThatOneBeforeItHasEndedTheConnection) {
    TestServer server;
    Client client(server.port(), 4096);
    client.send(get_line("/later/1") + get_line("/later/2"));
    ASSERT_TRUE(server.saw("/later/2"));
    server.on_loop([&] {
        server.script->held.at("/later/2").begin({});
        write_as_it_is_read(server, "/later/2", 1000, 50'000, nullptr);
        server.script->held.at("/later/1").send({.body = "last", .close = true});
    });
    EXPECT_EQ(client.read().body, "last");
    EXPECT_TRUE(client.is_closed());
    EXPECT_TRUE(server.saw("gone /later/2"));
}

TEST(LongAnswer, TellsThatAClientIsGoneWhileItsOutputWaits) {
    TestServer server;
    {
        Client client(server.port(), 4096);
        client.send(get_line("/later/1"));
        ASSERT_TRUE(server.saw("/later/1"));
        server.on_loop([&] {
            server.script->held.at("/later/1").begin({});
            write_as_it_is_read(server, "/later/1", 1'000'000, 50'000, nullptr);
        });
        EXPECT_FALSE(client.read_head().head.empty());
    }
    EXPECT_TRUE(server.saw("gone /later/1"));
    // Also whoever asks only now.
    server.on_loop([&] {
        server.script->held.at("/later/1").when_unsent_at_most(0, [&] {
            server.script->events.push_back("late");
        });
    });
    EXPECT_TRUE(server.saw("late"));
}

TEST(LongAnswer, TellsWhenTheClientIsGoneAndNotBefore) {
    TestServer server;
    {
        Client client(server.port());
        client.send(get_line("/later/1"));
        ASSERT_TRUE(server.saw("/later/1"));
        server.on_loop([&] {
            auto& exchange = server.script->held.at("/later/1");
            exchange.begin({});
            exchange.when_gone([&server] { server.script->events.push_back("gone"); });
            exchange.write("piece");
        });
        EXPECT_TRUE(server.eventually(
            [&] { return server.script->held.at("/later/1").unsent_bytes() == 0; }));
        server.on_loop([&] { EXPECT_NE(server.script->events.back(), "gone"); });
    }
    EXPECT_TRUE(server.saw("gone"));
}

TEST(LongAnswer, RunsATaskSoonWhenNothingWaitsForTheClient) {
    TestServer server;
    Client client(server.port());
    client.send(get_line("/later/1"));
    ASSERT_TRUE(server.saw("/later/1"));
    server.on_loop([&] {
        server.script->held.at("/later/1").when_unsent_at_most(0, [&server] {
            server.script->events.push_back("drained");
        });
        EXPECT_NE(server.script->events.back(), "drained") << "never within the call";
    });
    EXPECT_TRUE(server.saw("drained"));
    server.answer("/later/1");
    EXPECT_EQ(client.read().body, "answer /later/1");
}

TEST(LongAnswer, AllowsAnAnswerToBeReadSlowlyAndThenNoMore) {
    TestServer server({.write_timeout = 100ms});
    Client client(server.port(), 4096);
    client.send(get_line("/later/1"));
    ASSERT_TRUE(server.saw("/later/1"));
    std::string body;
    body.resize(20'000'000, 's');
    server.on_loop([&] {
        auto& exchange = server.script->held.at("/later/1");
        exchange.allow_slow_reading(60s);
        exchange.send({.body = body});
    });
    // Not a byte is read for longer than another one has, who comes later and is cut.
    Client other(server.port(), 4096);
    other.send(get_line("/big/20000000"));
    EXPECT_TRUE(server.eventually([&] { return server.server->counters().timeouts == 1; }));
    EXPECT_EQ(client.read().body.size(), 20'000'000u);
    EXPECT_EQ(server.server->counters().timeouts, 1u);
    // The next answer has the usual limit again.
    client.send(get_line("/big/20000000"));
    EXPECT_TRUE(server.eventually([&] { return server.server->counters().timeouts == 2; }));
}

TEST(LongAnswer, EndsAClientThatTricklesWhereARateIsAsked) {
    TestServer server({.write_timeout = 60s});
    Client client(server.port(), 4096);
    client.send(get_line("/later/1"));
    ASSERT_TRUE(server.saw("/later/1"));
    std::string body;
    body.resize(40'000'000, 's');
    server.on_loop([&] {
        auto& exchange = server.script->held.at("/later/1");
        // More than the sockets hold.
        exchange.allow_slow_reading(300ms, 20'000'000);
        exchange.send({.body = body});
    });
    // It reads all the time, at most 16 MB/s.
    std::size_t got = 0;
    while (server.server->counters().timeouts == 0 && got < body.size()) {
        char bytes[16 * 1024];
        const auto count = client.receive_some(bytes, sizeof bytes);
        if (count == 0) break;
        got += count;
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(server.server->counters().timeouts, 1u);
    EXPECT_LT(got, body.size());
}

TEST(LongAnswer, CountsNoTimeInWhichNothingWaitsForTheClientAgainstIt) {
    TestServer server({.idle_timeout = 4500ms, .write_timeout = 60s});
    Client client(server.port(), 256 * 1024);
    client.send(get_line("/later/1"));
    ASSERT_TRUE(server.saw("/later/1"));
    server.on_loop([&] {
        auto& exchange = server.script->held.at("/later/1");
        // More than the whole answer: only the time in which nothing waits can save the client.
        exchange.allow_slow_reading(4000ms, 30'000'000);
        exchange.begin({.body = "first"});
    });
    EXPECT_FALSE(client.read_head().head.empty());
    EXPECT_EQ(client.read_chunk(), "first");
    // The next piece takes its time to be made: longer than the client has.
    Client idle(server.port());
    EXPECT_TRUE(idle.is_closed());
    server.on_loop([&] {
        auto& exchange = server.script->held.at("/later/1");
        exchange.write(std::string(8'000'000, 's'));
        exchange.end();
    });
    // Time enough for the loop to look at its deadlines while the piece waits for the client.
    std::this_thread::sleep_for(200ms);
    EXPECT_EQ(client.read_chunk().value_or("").size(), 8'000'000u);
    EXPECT_EQ(client.read_chunk(), "");
}

}  // namespace
}  // namespace standings::net
