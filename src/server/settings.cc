#include "server/settings.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "access/credentials.h"
#include "demo/game.h"
#include "server/memory_limit.h"

namespace standings::server {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using settings::Values;

// A body's memory doubles as it grows, and the last quarter is for small ones.
constexpr std::uint64_t kArraysInInputMemory = 4;
constexpr std::uint64_t kMostInputMemory = 256 << 20;
constexpr std::size_t kDemoDetailsBytes = 256;  // of a name in the cache, on each board

std::uint64_t largest_body(const Values& values) {
    return std::max({values.bytes("http.max_array"), values.bytes("http.max_body"),
                     values.bytes("http.max_line")});
}

std::uint64_t input_memory(const Values& values) {
    const std::uint64_t chosen = values.bytes("http.input_memory");
    if (chosen > 0) return chosen;
    return std::max(std::min(memory_limit() / 4, kMostInputMemory),
                    kArraysInInputMemory * largest_body(values));
}

net::Limits transport_limits(const Values& values) {
    net::Limits limits;
    limits.max_target_bytes = values.bytes("http.max_target");
    limits.max_head_bytes = values.bytes("http.max_head");
    limits.max_fields = values.count("http.max_headers");
    limits.max_connections = values.count("http.max_connections");
    limits.max_connections_per_address = values.count("http.max_connections_per_address");
    limits.head_timeout = values.duration("http.head_timeout");
    limits.idle_timeout = values.duration("http.idle_timeout");
    limits.body_timeout = values.duration("http.body_timeout");
    limits.write_timeout = values.duration("http.write_timeout");
    limits.max_pipelined = values.count("http.max_pipelined");
    limits.max_unsent_bytes = values.bytes("http.max_unsent");
    limits.input_memory_bytes = input_memory(values);
    return limits;
}

engine::Engine::Options engine_options(const Values& values) {
    engine::Engine::Options options;
    options.queue.singles = values.count("engine.queue");
    options.queue.bulk_changes = values.count("engine.bulk_queue");
    options.queue.batch_changes = values.count("engine.batch");
    options.details_cache_bytes = values.bytes("engine.details_cache");
    options.read_threads = values.count("engine.read_threads");
    options.max_waiting_reads = values.count("engine.read_queue");
    options.slow_read_threads = values.count("engine.slow_read_threads");
    options.max_waiting_slow_reads = values.count("engine.slow_read_queue");
    options.max_position_waits = values.count("engine.position_waits");
    options.load.idempotency_keys = values.count("idempotency.keys");
    options.load.idempotency_window = values.duration("idempotency.window");
    options.committer.wal_warning_bytes = values.bytes("database.wal_warning");
    return options;
}

ledger::SqliteOptions ledger_options(const Values& values) {
    ledger::SqliteOptions options;
    options.accept_data_loss = values.flag("accept_data_loss");
    options.retention.age_ms = values.duration("retention.age").count();
    options.retention.bytes = values.bytes("retention.size");
    options.retention.stream_age_ms = values.duration("idempotency.window").count();
    options.cache_bytes = static_cast<std::int64_t>(values.bytes("database.cache"));
    options.reserve_bytes = values.bytes("database.reserve");
    options.checkpoint_pages = values.count("database.checkpoint_pages");
    return options;
}

ServerSettings server_settings(const Values& values) {
    ServerSettings out;
    out.engine = engine_options(values);
    out.front.transport.loops = values.count("threads");
    out.front.transport.limits = transport_limits(values);
    out.front.limits = {.max_body_bytes = values.bytes("http.max_body"),
                        .max_array_bytes = values.bytes("http.max_array"),
                        .max_line_bytes = values.bytes("http.max_line"),
                        .max_depth = values.count("http.max_depth"),
                        .max_message_bytes = values.bytes("live.max_message"),
                        .max_fragments = values.count("live.max_fragments"),
                        .max_watches = values.count("live.max_watches"),
                        .ping_after = values.duration("live.ping")};
    out.front.slow_request = values.duration("log.slow_request");
    out.front.drain_deadline = values.duration("drain_deadline");
    out.log = {.level = log_level(values.text("log.level")),
               .format = log_format(values.text("log.format"), STDERR_FILENO),
               .queue = values.count("log.queue"),
               .file = STDERR_FILENO};
    out.warnings = values.warnings();
    return out;
}

bool was_said(const Values& values, std::string_view key) {
    return values.at(settings::find_key(key).value()).source != settings::Source::kDefault;
}

// kSettings with all that a start refuses, one a line.
Result<void> accepted(const Values& values) {
    std::string all;
    for (const std::string& one : refused_by_start(values)) all += (all.empty() ? "" : "\n") + one;
    if (!all.empty()) return Error{ErrorCode::kSettings, all};
    return {};
}

}  // namespace

Result<ListenAddress> parse_listen(const std::string& text) {
    const Error wrong{
        ErrorCode::kSettings,
        "it is an address and a port, like 127.0.0.1:8420 or [::1]:8420, not '" + text + "'"};
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return wrong;
    ListenAddress address;
    address.host = text.substr(0, colon);
    const bool bracketed = address.host.starts_with('[') && address.host.ends_with(']');
    if (bracketed) address.host = address.host.substr(1, address.host.size() - 2);
    if (!bracketed && address.host.find(':') != std::string::npos) return wrong;
    if (address.host.empty() || address.host == "*") address.host = "0.0.0.0";
    if (address.host == "localhost") address.host = "127.0.0.1";
    const char* end = text.data() + text.size();
    const auto [at, failure] = std::from_chars(text.data() + colon + 1, end, address.port);
    if (failure != std::errc{} || at != end) return wrong;
    in6_addr unused{};
    if (::inet_pton(AF_INET, address.host.c_str(), &unused) != 1 &&
        ::inet_pton(AF_INET6, address.host.c_str(), &unused) != 1) {
        return wrong;
    }
    return address;
}

bool is_loopback(const ListenAddress& address) {
    return address.host.starts_with("127.") || address.host == "::1";
}

std::vector<std::string> refused_by_start(const Values& values) {
    std::vector<std::string> refused;
    const auto refuse = [&](std::string_view key, const Error& error) {
        const std::string& source = values.at(*settings::find_key(key)).where;
        refused.push_back(error.with_context(source).detail);
    };
    const auto listen = parse_listen(values.text("listen"));
    if (!listen) refuse("listen", listen.error());
    if (!values.text("init_key").empty()) {
        const auto key = access::Credentials::with_secret_key(values.text("init_key"));
        if (!key) refuse("init_key", key.error());
    }
    const std::uint64_t room = values.bytes("http.input_memory");
    if (room > 0 && room < kArraysInInputMemory * largest_body(values)) {
        refuse(
            "http.input_memory",
            {ErrorCode::kSettings,
             "it is at least four times http.max_array, http.max_body and http.max_line, or such "
             "a body could never arrive"});
    }
    return refused;
}

Result<ServeSettings> serve_settings(const Values& values) {
    if (const auto fine = accepted(values); !fine) return fine.error();
    ServeSettings out{server_settings(values)};
    out.listen = *parse_listen(values.text("listen"));
    out.data = values.text("data");
    out.initial_key = values.text("init_key");
    out.open = values.flag("open");
    out.ledger = ledger_options(values);
    out.backup = {
        .every = std::chrono::duration_cast<std::chrono::seconds>(values.duration("backup.every")),
        .keep = values.count("backup.keep"),
        .bytes_per_second = values.bytes("backup.rate"),
        .folder = values.text("backup.folder")};
    return out;
}

Result<DemoSettings> demo_settings(const Values& values, const DemoGame& game) {
    if (const auto fine = accepted(values); !fine) return fine.error();
    DemoSettings out{server_settings(values)};
    out.game = game;
    if (was_said(values, "listen")) out.listen = *parse_listen(values.text("listen"));
    if (was_said(values, "open")) out.open = values.flag("open");
    // All names at once: they come from memory either way.
    if (!was_said(values, "engine.details_cache")) {
        out.engine.details_cache_bytes = std::max(out.engine.details_cache_bytes,
                                                  game.players * demo::kBoards * kDemoDetailsBytes);
    }
    return out;
}

}  // namespace standings::server
