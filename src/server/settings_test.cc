#include "server/settings.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace standings::server {
namespace {

using settings::Inputs;
using settings::Values;

ServeSettings with(const std::string& key, const std::string& text) {
    Inputs inputs;
    if (!key.empty()) inputs.flags.push_back({settings::find_key(key).value(), text});
    const auto values = Values::settle(inputs);
    CHECK(values);
    auto chosen = serve_settings(*values);
    CHECK(chosen);
    return *std::move(chosen);
}

struct Place {
    const char* key;
    const char* text;
    std::function<std::int64_t(const ServeSettings&)> read;
    std::int64_t expected;
};

// Everything that `serve` takes but for what is a text.
const Place kPlaces[] = {
    {"accept_data_loss", "true", [](auto& s) { return s.ledger.accept_data_loss; }, 1},
    {"threads", "3", [](auto& s) { return s.front.transport.loops; }, 3},
    {"drain_deadline", "7s", [](auto& s) { return s.front.drain_deadline.count(); }, 7000},
    {"open", "true", [](auto& s) { return s.open; }, 1},
    {"http.max_target", "100", [](auto& s) { return s.front.transport.limits.max_target_bytes; },
     100},
    {"http.max_head", "300", [](auto& s) { return s.front.transport.limits.max_head_bytes; }, 300},
    {"http.max_headers", "9", [](auto& s) { return s.front.transport.limits.max_fields; }, 9},
    {"http.max_body", "1000", [](auto& s) { return s.front.limits.max_body_bytes; }, 1000},
    {"http.max_array", "2000", [](auto& s) { return s.front.limits.max_array_bytes; }, 2000},
    {"http.max_line", "3000", [](auto& s) { return s.front.limits.max_line_bytes; }, 3000},
    {"http.max_depth", "5", [](auto& s) { return s.front.limits.max_depth; }, 5},
    {"http.head_timeout", "1s",
     [](auto& s) { return s.front.transport.limits.head_timeout.count(); }, 1000},
    {"http.body_timeout", "2s",
     [](auto& s) { return s.front.transport.limits.body_timeout.count(); }, 2000},
    {"http.idle_timeout", "3s",
     [](auto& s) { return s.front.transport.limits.idle_timeout.count(); }, 3000},
    {"http.write_timeout", "4s",
     [](auto& s) { return s.front.transport.limits.write_timeout.count(); }, 4000},
    {"http.max_connections", "11", [](auto& s) { return s.front.transport.limits.max_connections; },
     11},
    {"http.max_connections_per_address", "12",
     [](auto& s) { return s.front.transport.limits.max_connections_per_address; }, 12},
    {"http.max_pipelined", "13", [](auto& s) { return s.front.transport.limits.max_pipelined; },
     13},
    {"http.max_unsent", "8KiB", [](auto& s) { return s.front.transport.limits.max_unsent_bytes; },
     8192},
    {"http.input_memory", "5MiB",
     [](auto& s) { return s.front.transport.limits.input_memory_bytes; }, 5 << 20},
    {"live.max_message", "2KiB", [](auto& s) { return s.front.limits.max_message_bytes; }, 2048},
    {"live.max_fragments", "14", [](auto& s) { return s.front.limits.max_fragments; }, 14},
    {"live.max_watches", "15", [](auto& s) { return s.front.limits.max_watches; }, 15},
    {"live.ping", "16s", [](auto& s) { return s.front.limits.ping_after.count(); }, 16'000},
    {"engine.queue", "21", [](auto& s) { return s.engine.queue.singles; }, 21},
    {"engine.bulk_queue", "2048", [](auto& s) { return s.engine.queue.bulk_changes; }, 2048},
    {"engine.batch", "23", [](auto& s) { return s.engine.queue.batch_changes; }, 23},
    {"engine.details_cache", "24", [](auto& s) { return s.engine.details_cache_bytes; }, 24},
    {"engine.read_threads", "25", [](auto& s) { return s.engine.read_threads; }, 25},
    {"engine.read_queue", "26", [](auto& s) { return s.engine.max_waiting_reads; }, 26},
    {"engine.slow_read_threads", "27", [](auto& s) { return s.engine.slow_read_threads; }, 27},
    {"engine.slow_read_queue", "28", [](auto& s) { return s.engine.max_waiting_slow_reads; }, 28},
    {"engine.position_waits", "29", [](auto& s) { return s.engine.max_position_waits; }, 29},
    {"database.cache", "2MiB", [](auto& s) { return s.ledger.cache_bytes; }, 2 << 20},
    {"database.reserve", "1MB", [](auto& s) { return s.ledger.reserve_bytes; }, 1'000'000},
    {"database.checkpoint_pages", "31", [](auto& s) { return s.ledger.checkpoint_pages; }, 31},
    {"database.wal_warning", "2MB", [](auto& s) { return s.engine.committer.wal_warning_bytes; },
     2'000'000},
    {"backup.every", "1h", [](auto& s) { return s.backup.every.count(); }, 3600},
    {"backup.keep", "34", [](auto& s) { return s.backup.keep; }, 34},
    {"backup.rate", "35MB", [](auto& s) { return s.backup.bytes_per_second; }, 35'000'000},
    {"backup.folder", "/b", [](auto& s) { return s.backup.folder.size(); }, 2},
    {"retention.age", "1h", [](auto& s) { return s.ledger.retention.age_ms; }, 3'600'000},
    {"retention.size", "5MB", [](auto& s) { return s.ledger.retention.bytes; }, 5'000'000},
    {"idempotency.window", "2h", [](auto& s) { return s.ledger.retention.stream_age_ms; },
     7'200'000},
    {"idempotency.window", "2h", [](auto& s) { return s.engine.load.idempotency_window.count(); },
     7'200'000},
    {"idempotency.keys", "33", [](auto& s) { return s.engine.load.idempotency_keys; }, 33},
    {"log.level", "error", [](auto& s) { return static_cast<int>(s.log.level); }, 3},
    {"log.format", "pretty", [](auto& s) { return s.log.format != LogFormat::kJson; }, 1},
    {"log.slow_request", "9ms", [](auto& s) { return s.front.slow_request.count(); }, 9},
    {"log.queue", "44", [](auto& s) { return s.log.queue; }, 44},
};

TEST(ServeSettings, EachReachesItsPlace) {
    for (const Place& place : kPlaces) {
        SCOPED_TRACE(place.key);
        EXPECT_NE(place.read(with("", "")), place.expected) << "its default must differ";
        EXPECT_EQ(place.read(with(place.key, place.text)), place.expected);
    }
    EXPECT_EQ(with("listen", "[::1]:9").listen.host, "::1");
    EXPECT_EQ(with("listen", "[::1]:9").listen.port, 9);
    EXPECT_EQ(with("data", "/x").data, "/x");
    const std::string key(32, 'k');
    EXPECT_EQ(with("init_key", key).initial_key, key);
}

TEST(ServeSettings, WhatAStartWouldRefuseIsRefusedWithItsSource) {
    const std::pair<const char*, const char*> kRefused[] = {{"init_key", "short"},
                                                            {"listen", "300.1.1.1:1"},
                                                            {"listen", "example.org:80"},
                                                            {"http.input_memory", "4194303"}};
    for (const auto& [key, text] : kRefused) {
        Inputs inputs;
        inputs.flags.push_back({settings::find_key(key).value(), text});
        const auto values = Values::settle(inputs);
        ASSERT_TRUE(values);
        const auto chosen = serve_settings(*values);
        ASSERT_FALSE(chosen) << text;
        const std::string flag(settings::kTable[settings::find_key(key).value()].flag);
        EXPECT_TRUE(chosen.error().detail.starts_with(flag + ": ")) << chosen.error().detail;
    }
}

TEST(ServeSettings, AllThatAStartWouldRefuseIsSaidAtOnce) {
    Inputs inputs;
    inputs.flags = {{*settings::find_key("init_key"), "short"},
                    {*settings::find_key("listen"), "300.1.1.1:1"}};
    const auto values = Values::settle(inputs);
    ASSERT_TRUE(values);
    EXPECT_EQ(refused_by_start(*values).size(), 2U);
}

TEST(ServeSettings, TheMemoryForInputHoldsTheLargestBodies) {
    const auto most = [](const ServeSettings& settings) {
        return settings.front.transport.limits.input_memory_bytes;
    };
    EXPECT_GE(most(with("", "")), std::size_t{4} << 20);
    EXPECT_LE(most(with("", "")), std::size_t{256} << 20);
    EXPECT_EQ(most(with("http.max_array", "1GiB")), std::size_t{4} << 30);
}

TEST(ServeSettings, NoneIsForgotten) {
    for (const settings::Setting& setting : settings::kTable) {
        if ((setting.commands & settings::kServe) == 0) continue;
        if (setting.key == "listen" || setting.key == "data" || setting.key == "init_key") continue;
        const bool placed = std::any_of(std::begin(kPlaces), std::end(kPlaces),
                                        [&](const Place& one) { return setting.key == one.key; });
        EXPECT_TRUE(placed) << setting.key;
    }
}

TEST(ListenAddress, TellsWhoReachesIt) {
    for (const char* own : {"127.0.0.1:0", "localhost:1", "127.9.9.9:1", "[::1]:1"}) {
        EXPECT_TRUE(is_loopback(*parse_listen(own))) << own;
    }
    for (const char* open :
         {":1", "*:1", "0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1"}) {
        EXPECT_FALSE(is_loopback(*parse_listen(open))) << open;
    }
}

TEST(DemoSettings, EachOfItsSettingsReachesAPlace) {
    std::set<std::string_view> reached = {"listen", "open"};  // they have choices of their own
    for (const Place& place : kPlaces) {
        Inputs inputs;
        inputs.flags.push_back({settings::find_key(place.key).value(), place.text});
        const auto demo = demo_settings(*Values::settle(inputs), {});
        ASSERT_TRUE(demo);
        ServeSettings seen;
        static_cast<ServerSettings&>(seen) = *demo;
        if (place.read(seen) == place.expected) reached.insert(place.key);
    }
    for (const settings::Setting& setting : settings::kTable) {
        if ((setting.commands & settings::kDemo) == 0) continue;
        EXPECT_TRUE(reached.contains(setting.key)) << setting.key;
    }
}

TEST(DemoSettings, ChoosesForItselfWhereNothingIsSaid) {
    const auto demo = [](const Inputs& inputs, const DemoGame& game) {
        return *demo_settings(*Values::settle(inputs), game);
    };
    Inputs inputs;
    EXPECT_FALSE(demo(inputs, {}).listen);
    EXPECT_EQ(demo(inputs, {}).open, std::nullopt);
    const DemoGame crowd{.players = 1'000'000};
    EXPECT_GT(demo(inputs, crowd).engine.details_cache_bytes, std::size_t{500} << 20);
    inputs.environment = {{"STANDINGS_LISTEN", "[::1]:9"},
                          {"STANDINGS_OPEN", "false"},
                          {"STANDINGS_ENGINE_DETAILS_CACHE", "1MiB"}};
    EXPECT_EQ(demo(inputs, {}).listen->port, 9);
    EXPECT_EQ(demo(inputs, {}).open, false);
    EXPECT_EQ(demo(inputs, crowd).engine.details_cache_bytes, std::size_t{1} << 20);
}

TEST(DemoSettings, RefusesWhatTheServerRefuses) {
    Inputs inputs;
    inputs.environment = {{"STANDINGS_LISTEN", "300.1.1.1:1"}};
    const auto refused = demo_settings(*Values::settle(inputs), {});
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().detail.starts_with("STANDINGS_LISTEN: ")) << refused.error().detail;
}

// The table's defaults are those of the code, which tests of the layers use.
TEST(ServeSettings, TheDefaultsAreThoseOfTheCode) {
    const ServeSettings defaults = with("", "");
    const ServeSettings plain;
    for (const Place& place : kPlaces) {
        if (std::string_view(place.key).starts_with("log.f")) continue;
        if (place.key == std::string_view("http.input_memory")) continue;  // it is the machine's
        EXPECT_EQ(place.read(defaults), place.read(plain)) << place.key;
    }
    EXPECT_EQ(defaults.data, plain.data);
    EXPECT_EQ(defaults.listen.port, plain.listen.port);
}

}  // namespace
}  // namespace standings::server
