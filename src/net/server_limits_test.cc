// Time-outs, slow clients, fairness, bounds, and the beginning and end of a server.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "net/server.h"
#include "net/test_client.h"

namespace standings::net {
namespace {

using namespace std::chrono_literals;

TEST(Server, EndsConnectionsThatAreTooSlow) {
    TestServer server({.head_timeout = 60ms, .idle_timeout = 120ms, .body_timeout = 60ms});
    {
        Client idle(server.port());
        EXPECT_TRUE(idle.is_closed());
    }
    {
        Client idle(server.port());
        EXPECT_EQ(idle.get("/a").status, 200);
        EXPECT_TRUE(idle.is_closed());
    }
    {
        Client slow(server.port());
        slow.send("GET / HTTP/1.1\r\n");
        EXPECT_EQ(slow.read().status, 408);
        EXPECT_TRUE(slow.is_closed());
    }
    {
        Client slow(server.port());
        slow.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
        EXPECT_EQ(slow.read().status, 408);
        EXPECT_TRUE(slow.is_closed());
    }
    {
        Client slow(server.port());
        slow.send(chunked_post("/stream/slow") + "5\r\nab");
        EXPECT_EQ(slow.read().status, 408);
        EXPECT_TRUE(slow.is_closed());
        EXPECT_TRUE(server.saw("abort /stream/slow"));
    }
    {
        // Bytes of a head that trickle in do not move its time-out.
        Client slow(server.port());
        slow.send("GET / HTTP/1.1\r\nX: ");
        while (slow.send("a") && !slow.has_input(5ms)) {
        }
        EXPECT_EQ(slow.read().status, 408);
    }
    EXPECT_GE(server.server->counters().timeouts, 6u);
    {
        // A handler may take its time.
        Client patient(server.port());
        patient.send(get_line("/later/1"));
        ASSERT_TRUE(server.saw("/later/1"));
        // Longer than each of the limits.
        Client idle(server.port());
        EXPECT_TRUE(idle.is_closed());
        server.answer("/later/1");
        EXPECT_EQ(patient.read().body, "answer /later/1");
    }
}

TEST(Server, EndsAClientThatNeverReads) {
    TestServer server({.write_timeout = 200ms, .max_unsent_bytes = 100'000});
    Client client(server.port(), 4096);
    // The answers are far more than the sockets' buffers hold.
    std::thread sender([&] {
        const auto requests = get_line("/big/50000");
        while (client.send(requests)) {
        }
    });
    sender.join();
    server.on_loop([] {});
    const auto counters = server.server->counters();
    EXPECT_EQ(counters.timeouts, 1u);
    EXPECT_EQ(counters.connections_open, 0u);
    // It stopped taking requests soon after the client stopped reading.
    EXPECT_LT(counters.requests * 50'000, counters.bytes_out + 400'000);
}

TEST(Server, GivesALargeAnswerToASlowReader) {
    TestServer server({.write_timeout = 2000ms});
    Client client(server.port(), 4096);
    client.send(get_line("/big/20000000") + get_line("/next"));
    EXPECT_EQ(client.read().body.size(), 20'000'000u);
    EXPECT_EQ(client.read().body, "/next");
}

TEST(Server, PausesABodyWhileItsAnswersAreNotRead) {
    TestServer server({.write_timeout = 300ms, .max_unsent_bytes = 50'000});
    server.on_loop([&] {
        server.script->on_piece = [begun = false](const std::string&, std::string_view piece,
                                                  Exchange& exchange) mutable {
            if (!begun) exchange.begin({});
            begun = true;
            exchange.write(piece);
            exchange.write(piece);
        };
    });
    Client client(server.port(), 4096);
    client.send(chunked_post("/stream/lines"));
    const auto piece = chunk(std::string(10'000, 'x'));
    std::size_t worst = 0;
    while (client.send(piece)) {
        worst = std::max(worst, server.on_loop([&] {
            return server.script->held["/stream/lines"].unsent_bytes();
        }));
    }
    EXPECT_LT(worst, 50'000u + 3 * 65536);
    EXPECT_TRUE(server.saw("abort /stream/lines"));
    EXPECT_EQ(server.server->counters().timeouts, 1u);
}

TEST(Server, SharesALoopFairly) {
    TestServer server;
    std::atomic<bool> stop = false;
    Client greedy(server.port());
    std::thread sender([&] {
        std::string many;
        for (int i = 0; i < 1000; ++i) many += get_line("/x");
        while (!stop && greedy.send(many)) {
        }
        greedy.shutdown_write();
    });
    std::thread reader([&] {
        while (greedy.receive()) {
        }
    });
    Client modest(server.port());
    for (int i = 0; i < 100; ++i) ASSERT_EQ(modest.get("/y").body, "/y");
    stop = true;
    sender.join();
    reader.join();
}

TEST(Server, RefusesMoreConnectionsThanItTakes) {
    TestServer server({.max_connections = 2});
    {
        Client first(server.port());
        Client second(server.port());
        EXPECT_EQ(first.get("/a").status, 200);
        EXPECT_EQ(second.get("/a").status, 200);
        Client third(server.port());
        const auto answer = third.get("/a");
        EXPECT_EQ(answer.status, 503);
        EXPECT_TRUE(answer.has("Retry-After: 1\r\n"));
        EXPECT_TRUE(third.is_closed());
        EXPECT_EQ(server.server->counters().connections_refused, 1u);
    }
    // There is room again.
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (Client(server.port()).get("/a").status != 200) {
        ASSERT_LT(std::chrono::steady_clock::now(), until);
    }
}

TEST(Server, TellsClientsWhenFilesHaveRunOut) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP()
        << "UBSan opens a pipe for each check of a vtable, and takes its absence for a bug";
#endif
    TestServer server;
    Client before(server.port());
    EXPECT_EQ(before.get("/a").status, 200);

    Client shed;
    const int next_file = ::dup(0);
    ::close(next_file);
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    const rlimit none_left{static_cast<rlim_t>(next_file), files.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none_left), 0);
    ASSERT_TRUE(shed.connect(server.port()));
    const auto answer = shed.read();
    EXPECT_EQ(before.get("/a").status, 200);
    ::setrlimit(RLIMIT_NOFILE, &files);

    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.has("Retry-After: 1\r\n"));
    EXPECT_EQ(Client(server.port()).get("/a").status, 200);
}

TEST(Server, CountsNoLoopbackConnectionPerAddress) {
    TestServer server({.max_connections_per_address = 1});
    Client first(server.port());
    Client second(server.port());
    EXPECT_EQ(first.get("/a").status, 200);
    EXPECT_EQ(second.get("/a").status, 200);
}

TEST(Server, DrainsByAnsweringWhatIsInFlight) {
    TestServer server;
    Client idle(server.port());
    EXPECT_EQ(idle.get("/a").status, 200);
    Client waiting(server.port());
    waiting.send(get_line("/later/1") + get_line("/later/2"));
    Client uploading(server.port());
    uploading.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    ASSERT_TRUE(server.saw("/later/2"));

    std::thread drainer([&] { server.server->drain(10s); });
    EXPECT_TRUE(idle.is_closed());
    server.answer("/later/1");
    server.answer("/later/2");
    EXPECT_FALSE(waiting.read().has("Connection: close"));
    const auto last = waiting.read();
    EXPECT_EQ(last.body, "answer /later/2");
    EXPECT_TRUE(last.has("Connection: close\r\n"));
    EXPECT_TRUE(waiting.is_closed());
    uploading.send("cde");
    const auto uploaded = uploading.read();
    EXPECT_EQ(uploaded.body, "abcde");
    EXPECT_TRUE(uploaded.has("Connection: close\r\n"));
    EXPECT_TRUE(uploading.is_closed());
    EXPECT_FALSE(Client(server.port()).connected());
    // These clients stay around; the server does not wait for them.
    drainer.join();
    EXPECT_EQ(server.server->counters().connections_open, 0u);
}

TEST(Server, EndsADrainAtItsDeadline) {
    TestServer server;
    Client stuck(server.port());
    stuck.send(get_line("/later/1"));
    ASSERT_TRUE(server.saw("/later/1"));
    server.server->drain(50ms);
    EXPECT_EQ(server.server->counters().connections_open, 0u);
    EXPECT_FALSE(server.on_loop([&] { return server.script->held["/later/1"].open(); }));
    EXPECT_TRUE(stuck.is_gone());
}

TEST(Server, StopsWithRequestsInFlightAndAnswersThatComeTooLate) {
    auto server = std::make_unique<TestServer>();
    auto script = server->script;
    Client client(server->port());
    client.send(get_line("/later/1") + chunked_post("/stream/x") + chunk("a"));
    ASSERT_TRUE(server->saw("begin /stream/x"));
    auto late = server->on_loop([&] { return std::move(script->held["/later/1"]); });
    server->server->stop();
    server->server->stop();
    EXPECT_FALSE(late.open());
    late.send({.body = "x"});
    server.reset();
    EXPECT_TRUE(client.is_gone());
}

TEST(Server, RunsPostedAndDelayedTasksInOrder) {
    TestServer server;
    std::vector<int> order;
    for (int i = 0; i < 1000; ++i) server.server->loop(0).post([&order, i] { order.push_back(i); });
    server.on_loop([] {});
    ASSERT_EQ(order.size(), 1000u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));

    std::promise<void> fired;
    server.on_loop([&] { server.server->loop(0).after(5ms, [&] { fired.set_value(); }); });
    EXPECT_EQ(fired.get_future().wait_for(10s), std::future_status::ready);
}

TEST(Server, ServesOnSeveralLoops) {
    TestServer server({}, 3);
    EXPECT_EQ(server.server->loop_count(), 3u);
    std::vector<std::thread> threads;
    std::atomic<int> right = 0;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int c = 0; c < 10; ++c) {
                Client client(server.port());
                for (int i = 0; i < 20; ++i) right += client.get("/a").body == "/a";
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(right, 800);
    server.server->drain(5s);
}

TEST(Server, FindsAPortInUse) {
    for (const std::size_t loops : {1u, 2u}) {
        TestServer server({}, loops);
        for (const std::size_t others : {1u, 2u}) {
            const auto second = Server::start(
                {.port = server.port(), .loops = others},
                [&](Loop& loop) { return std::make_unique<ScriptedHandler>(server.script, loop); });
            ASSERT_FALSE(second);
            EXPECT_EQ(second.error().code, base::ErrorCode::kBusy);
        }
    }
    const auto nowhere = Server::start({.address = "localhost", .port = 0}, nullptr);
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().code, base::ErrorCode::kSettings);
}

}  // namespace
}  // namespace standings::net
