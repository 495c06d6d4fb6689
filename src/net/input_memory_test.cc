// Requests that arrive slowly share a bounded memory, and give it back however they end.
#include "net/input_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "net/server.h"
#include "net/test_client.h"

namespace standings::net {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kKiB = 1024;

TEST(InputMemory, LeavesAQuarterToTheSmall) {
    InputMemory memory(100 * kKiB);
    HeldInput large(memory);
    EXPECT_TRUE(large.grow_to(75 * kKiB));
    EXPECT_FALSE(large.grow_to(75 * kKiB + 1));
    EXPECT_TRUE(large.grow_to(10));  // it holds more already
    HeldInput small(memory);
    EXPECT_TRUE(small.grow_to(16 * kKiB));
    EXPECT_FALSE(small.grow_to(16 * kKiB + 1));
    HeldInput other(memory);
    EXPECT_FALSE(other.grow_to(9 * kKiB + 1));
    EXPECT_TRUE(other.grow_to(9 * kKiB));
    EXPECT_EQ(memory.held(), 100 * kKiB);
    EXPECT_EQ(memory.refusals(), 3u);

    large.release();
    large.release();
    EXPECT_EQ(memory.held(), 25 * kKiB);
    EXPECT_TRUE(small.grow_to(60 * kKiB));
}

TEST(InputMemory, IsNeverExceededByThreadsThatShareIt) {
    InputMemory memory(64 * kKiB);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                HeldInput held(memory);
                held.grow_to(7 * kKiB);
                held.grow_to(15 * kKiB);
                ASSERT_LE(memory.held(), 64 * kKiB);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(memory.held(), 0u);
}

// A post of `length` bytes of which only `sent` come.
std::string unfinished_post(std::size_t length, std::size_t sent) {
    return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) +
           "\r\n\r\n" + std::string(sent, 'x');
}

bool holds(TestServer& server, std::size_t at_least, std::size_t at_most = SIZE_MAX) {
    return server.eventually([&] {
        const auto held = server.server->counters().input_bytes;
        return held >= at_least && held <= at_most;
    });
}

void expect_refused(Client& client) {
    const auto answer = client.read();
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.has("X-Problem: yes\r\n"));
    EXPECT_TRUE(answer.has("Retry-After: 1\r\n"));
    EXPECT_TRUE(answer.has("Connection: close\r\n"));
    EXPECT_TRUE(client.is_closed());
}

TEST(InputMemory, ShedsLargeBodiesAndTakesSmallOnes) {
    TestServer server({.input_memory_bytes = 400 * kKiB}, 2);
    // Each wants 128 KiB.
    std::vector<std::unique_ptr<Client>> crowd;
    for (int i = 0; i < 10; ++i) {
        crowd.push_back(std::make_unique<Client>(server.port()));
        ASSERT_TRUE(crowd.back()->send(unfinished_post(90'000, 80'000)));
    }
    ASSERT_TRUE(server.eventually([&] { return server.server->counters().inputs_refused >= 8; }));
    EXPECT_TRUE(holds(server, 0, 300 * kKiB));

    // A small one in two pieces, and one that lies whole in the receive buffer.
    Client small(server.port());
    const auto read_before = server.server->counters().bytes_in;
    ASSERT_TRUE(small.send(unfinished_post(8000, 5000)));
    ASSERT_TRUE(server.eventually(
        [&] { return server.server->counters().bytes_in >= read_before + 5000; }));
    ASSERT_TRUE(small.send(std::string(3000, 'x')));
    EXPECT_EQ(small.read().body.size(), 8000u);
    EXPECT_EQ(small.request(post("/echo", "whole")).body, "whole");
    Client large(server.port());
    large.send(unfinished_post(90'000, 80'000));
    expect_refused(large);

    // Those who were let in are served, the others know what to do.
    int served = 0;
    for (auto& client : crowd) {
        client->send(std::string(10'000, 'x'));
        const auto answer = client->read();
        if (answer.status == 200) {
            ++served;
            EXPECT_EQ(answer.body.size(), 90'000u);
        } else {
            EXPECT_EQ(answer.status, 503);
            EXPECT_TRUE(answer.has("Retry-After: 1\r\n"));
        }
    }
    EXPECT_EQ(served, 2);
    EXPECT_TRUE(holds(server, 0, 0));
}

TEST(InputMemory, IsGivenBackHoweverARequestEnds) {
    TestServer server({.input_memory_bytes = 1024 * kKiB});
    const auto begin = [&](Client& client) {
        ASSERT_TRUE(client.send(unfinished_post(50'000, 40'000)));
        ASSERT_TRUE(holds(server, 40'000));
    };
    {
        SCOPED_TRACE("whole, and the connection stays");
        Client client(server.port());
        begin(client);
        // The head of the next request comes along, half.
        client.send(std::string(10'000, 'x') + "GET /a HTTP/1.1\r\n");
        EXPECT_EQ(client.read().status, 200);
        EXPECT_TRUE(holds(server, 1, 1000));
        client.send("Host: a\r\n\r\n");
        EXPECT_EQ(client.read().body, "/a");
        EXPECT_TRUE(holds(server, 0, 0));
    }
    {
        SCOPED_TRACE("the client leaves");
        Client client(server.port());
        begin(client);
        client.shutdown_write();
        EXPECT_TRUE(client.is_closed());
        EXPECT_TRUE(holds(server, 0, 0));
    }
    {
        SCOPED_TRACE("too slow");
        TestServer impatient({.body_timeout = 100ms});
        Client client(impatient.port());
        client.send(unfinished_post(50'000, 40'000));
        EXPECT_EQ(client.read().status, 408);
        EXPECT_TRUE(holds(impatient, 0, 0));
    }
    {
        SCOPED_TRACE("too large, and badly framed");
        for (const auto& rest : {chunk(std::string(70'000, 'x')), std::string("nonsense\r\n")}) {
            Client client(server.port());
            client.send(chunked_post("/echo") + chunk(std::string(40'000, 'x')));
            ASSERT_TRUE(holds(server, 40'000));
            client.send(rest);
            EXPECT_GE(client.read().status, 400);
            EXPECT_TRUE(holds(server, 0, 0));
        }
    }
    {
        SCOPED_TRACE("half a head");
        Client client(server.port());
        client.send("GET /a HTTP/1.1\r\nX: " + std::string(8000, 'x'));
        ASSERT_TRUE(holds(server, 8000));
    }
    EXPECT_TRUE(holds(server, 0, 0));
    {
        SCOPED_TRACE("reset");
        Client client(server.port());
        begin(client);
        client.reset_at_end();
    }
    EXPECT_TRUE(holds(server, 0, 0));
    Client client(server.port());
    begin(client);
    server.server->drain(1ms);
    EXPECT_EQ(server.server->counters().input_bytes, 0u);
}

TEST(InputMemory, RefusesAStreamAtItsStartOnly) {
    // Room for one stream.
    TestServer server({.input_memory_bytes = 400 * kKiB});
    {
        Client first(server.port());
        first.send(chunked_post("/stream/echo") + chunk("one"));
        ASSERT_TRUE(server.saw("begin /stream/echo"));
        EXPECT_TRUE(holds(server, 128 * kKiB));
        Client second(server.port());
        second.send(chunked_post("/stream/other") + chunk("two"));
        expect_refused(second);
        EXPECT_TRUE(server.on_loop([&] { return !server.script->held.contains("/stream/other"); }));
        first.send(chunk("more") + "0\r\n\r\n");
        EXPECT_EQ(first.read().body, "onemore");
        EXPECT_TRUE(holds(server, 0, 0));

        // The connection goes on; this one ends with the client.
        first.send(chunked_post("/stream/gone") + chunk("one"));
        EXPECT_TRUE(holds(server, 128 * kKiB));
        first.shutdown_write();
        ASSERT_TRUE(server.saw("abort /stream/gone"));
        EXPECT_TRUE(holds(server, 0, 0));
    }
    Client refused(server.port());
    refused.send(chunked_post("/stream/refused"));
    EXPECT_EQ(refused.read().status, 401);
    EXPECT_TRUE(holds(server, 0, 0));
}

TEST(InputMemory, RefusesInOrderAndForgetsWhatItRefused) {
    TestServer server({.max_pipelined = 1, .input_memory_bytes = 40 * kKiB});
    Client client(server.port());
    std::string requests = get_line("/later/1");
    for (int i = 0; i < 1000; ++i) requests += get_line("/a/path/that/is/not/short");
    // 45 kB wait behind an answer that takes its time.
    client.send(requests);
    ASSERT_TRUE(server.saw("/later/1"));
    EXPECT_TRUE(server.eventually([&] { return server.server->counters().inputs_refused == 1; }));
    EXPECT_TRUE(holds(server, 0, 0));
    server.answer("/later/1");
    EXPECT_EQ(client.read().body, "answer /later/1");
    EXPECT_EQ(client.read().status, 503);
}

}  // namespace
}  // namespace standings::net
