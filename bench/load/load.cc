// Puts a server under load over keep-alive connections, checks every answer, and says how fast they
// came. One thread, epoll: the generator must not be what is measured. It speaks HTTP to a
// Standings server, and the protocol of Redis to one that holds the same players.
//
//   standings_load --port 8420 --connections 64 --seconds 10 --board b --players 1000000
//       --key st_sk_... --idempotency
//
// With --log each submission leaves one line, "player score key seq", for an oracle to compare with
// what the server kept; seq is "-" where no answer came. No submission is ever sent twice.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "clients.h"
#include "poll.h"
#include "process.h"
#include "settings.h"
#include "traffic.h"

namespace {

using load::Clients;
using load::Clock;
using load::cpu_nanoseconds;
using load::fail;
using load::Poll;
using load::Settings;
using load::Tally;
using load::Traffic;

constexpr int kPatienceSeconds = 10;

// Runs until the time is over and all is answered, or no connection is left. The seconds it took.
double run(const Settings& settings, Traffic& traffic, Tally& tally) {
    Poll poll;
    Clients clients(settings, traffic, tally, poll);
    const auto began = Clock::now();
    const auto end = began + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(settings.seconds));
    clients.begin(began);
    // Seconds in which this process waited and nothing came. One that is stopped meanwhile is
    // interrupted, and counts nothing: by the clock its patience would be over as it goes on.
    int quiet_seconds = 0;
    while (true) {
        const auto now = Clock::now();
        if (now >= end) clients.stop();
        clients.send_due(now);
        const bool has_more = settings.rate && !clients.is_stopped() && clients.are_open();
        if (!has_more && !clients.are_busy()) break;
        const auto second = now + std::chrono::seconds(1);
        auto next = std::min(clients.next_due(), second);
        if (!clients.is_stopped()) next = std::min(next, end);
        const int count = poll.run(next - now);
        if (count > 0) quiet_seconds = 0;
        if (count == 0 && next == second) ++quiet_seconds;
        if (quiet_seconds >= kPatienceSeconds && Clock::now() > end) {
            fail("no answer came for ten seconds, and the time is over");
        }
    }
    return std::chrono::duration<double>(Clock::now() - began).count();
}

void write_log(const Settings& settings, const Traffic& traffic, const Tally& tally) {
    std::ofstream file(settings.log);
    for (const auto& [request, seq] : tally.log) {
        file << traffic.player_name(request.player) << ' ' << request.score << ' '
             << (settings.idempotency ? traffic.idempotency_key(request) : "-") << ' ' << seq
             << '\n';
    }
    if (!file.flush()) fail("cannot write " + settings.log);
}

void report(const Settings& settings, Tally& tally, double seconds, std::uint64_t server_cpu) {
    const auto requests = static_cast<double>(tally.latencies.size());
    if (settings.json) {
        std::printf(
            "{\"requests\":%.0f,\"seconds\":%.3f,\"per_second\":%.0f,\"p50_ms\":%.4f,"
            "\"p99_ms\":%.4f,\"max_ms\":%.4f,\"cpu_us\":%.4f}\n",
            requests, seconds, requests / seconds, tally.milliseconds_at(0.5),
            tally.milliseconds_at(0.99), tally.milliseconds_at(1),
            requests > 0 ? static_cast<double>(server_cpu) / requests / 1e3 : 0);
        return;
    }
    std::printf(
        "%s: %.0f requests in %.2f s over %zu connections, pipeline %zu: %.0f/s  p50 %.3f ms  p99 "
        "%.3f ms  max %.3f ms",
        settings.mode.c_str(), requests, seconds, settings.connections, settings.pipeline,
        requests / seconds, tally.milliseconds_at(0.5), tally.milliseconds_at(0.99),
        tally.milliseconds_at(1));
    if (settings.server_pid && requests > 0) {
        std::printf("  server CPU %.2f us/request",
                    static_cast<double>(server_cpu) / requests / 1e3);
    }
    if (tally.lost_connections)
        std::printf("  lost connections %llu",
                    static_cast<unsigned long long>(tally.lost_connections));
    std::printf("\n");
}

Settings settings_from(int argc, char** argv) {
    Settings settings;
    CLI::App app("Puts a Standings server under load and checks every answer.");
    app.add_option("--host", settings.host, "IPv4 address")->capture_default_str();
    app.add_option("--port", settings.port)->capture_default_str();
    app.add_option("--protocol", settings.protocol)
        ->capture_default_str()
        ->check(CLI::IsMember({"http", "redis"}));
    app.add_option("--connections", settings.connections)
        ->capture_default_str()
        ->check(CLI::Range(1, 60000));
    app.add_option("--seconds", settings.seconds)->capture_default_str();
    CLI::Option* const pipeline =
        app.add_option("--pipeline", settings.pipeline, "requests sent at once on each connection")
            ->capture_default_str()
            ->check(CLI::Range(1, 64));
    app.add_option("--rate", settings.rate,
                   "requests a second, of all connections together; as fast as answers come "
                   "otherwise. Latencies then count from when a request was due")
        ->check(CLI::PositiveNumber)
        ->excludes(pipeline);
    app.add_option("--mode", settings.mode)
        ->capture_default_str()
        ->check(CLI::IsMember({"submit", "standing", "top", "around", "version"}));
    app.add_option("--board", settings.board)->capture_default_str();
    app.add_option("--players", settings.players, "how many there are to choose from")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--prefix", settings.prefix, "of each player's id, before seven digits")
        ->capture_default_str();
    app.add_flag("--known", settings.known,
                 "the board was made by bench/players.py: check every rank, score and row");
    app.add_option("--key", settings.key, "credential");
    app.add_option("--script", settings.script, "SHA-1 of the script for a Redis server");
    app.add_flag("--idempotency", settings.idempotency,
                 "send an Idempotency-Key with each submission");
    app.add_option("--run", settings.run, "first part of each idempotency key");
    app.add_option("--score", settings.score, "the same for all; random otherwise");
    app.add_option("--score-from", settings.score_from, "where random scores begin")
        ->capture_default_str();
    app.add_option("--log", settings.log, "file for one line per submission");
    app.add_option("--server-pid", settings.server_pid,
                   "print this process's CPU time per request");
    app.add_option("--seed", settings.seed)->capture_default_str();
    app.add_flag("--until-lost", settings.until_lost,
                 "the server will be killed: end with the last connection");
    app.add_flag("--json", settings.json, "print one JSON object");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error));
    }
    if (settings.known && settings.players > load::KnownBoard::kMost)
        fail("--known goes up to " + std::to_string(load::KnownBoard::kMost) + " players");
    return settings;
}

}  // namespace

int main(int argc, char** argv) {
    const Settings settings = settings_from(argc, argv);
    const std::unique_ptr<Traffic> traffic = settings.protocol == "redis"
                                                 ? load::make_redis_traffic(settings)
                                                 : load::make_http_traffic(settings);
    Tally tally;
    tally.keeps_log = !settings.log.empty();
    const std::uint64_t cpu_before =
        settings.server_pid ? cpu_nanoseconds(*settings.server_pid) : 0;
    const double seconds = run(settings, *traffic, tally);
    const std::uint64_t cpu_after = settings.server_pid ? cpu_nanoseconds(*settings.server_pid) : 0;
    if (!settings.log.empty()) write_log(settings, *traffic, tally);
    report(settings, tally, seconds, cpu_after - std::min(cpu_before, cpu_after));
    if (tally.lost_connections && !settings.until_lost) fail("connections were lost");
    return 0;
}
