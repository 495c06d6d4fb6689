// Every setting there is: flags, environment names, file keys, help, pages and completion come from
// here.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "settings/setting.h"

namespace standings::settings {

inline constexpr std::int64_t kKiB = 1024;
inline constexpr std::int64_t kMiB = 1024 * kKiB;
inline constexpr std::int64_t kGiB = 1024 * kMiB;
inline constexpr std::int64_t kSecond = 1000;
inline constexpr std::int64_t kHour = 3600 * kSecond;
inline constexpr std::int64_t kDay = 24 * kHour;
inline constexpr Commands kServers = kServe | kDemo;

struct Group {
    std::string_view title;
    std::size_t first;  // in kTable
    std::size_t count;
};

inline constexpr Setting kServerSettings[] = {
    {"listen", "--listen", "STANDINGS_LISTEN", Type::kAddress, "127.0.0.1:8420",
     "Address and port; port 0 takes a free one.", kServers},
    {"data", "--data", "STANDINGS_DATA_DIR", Type::kPath, "./standings-data",
     "Folder of the database. $STATE_DIRECTORY comes before the default.", kServe},
    {"accept_data_loss", "--accept-data-loss", "STANDINGS_ACCEPT_DATA_LOSS", Type::kFlag, "false",
     "Start although the database is older than what was acknowledged, in a new epoch. Meant for "
     "one start, not for a file.",
     kServe},
    {"init_key", "--init-key", "STANDINGS_INIT_KEY", Type::kSecret, "",
     "The server's key, 32 characters or more; replaces the stored one. Without it the first start "
     "makes one.",
     kServe},
    {"threads", "--threads", "STANDINGS_THREADS", Type::kCount, "0",
     "Event loops; 0 is one for each core that the process may use.", kServers, 0, 256},
    {"drain_deadline", "--drain-deadline", "STANDINGS_DRAIN_DEADLINE", Type::kDuration, "3s",
     "How long SIGTERM lets requests in flight finish.", kServers, 0, kHour},
    {"open", "--open", "STANDINGS_OPEN", Type::kFlag, "false",
     "Open the page in the browser where there is a desktop.", kServers},
};

inline constexpr Setting kHttpSettings[] = {
    {"http.max_target", "--http-max-target", "STANDINGS_HTTP_MAX_TARGET", Type::kBytes, "8KiB",
     "Longest path with query; longer is 414.", kServers, 64, 32 * kKiB},
    {"http.max_head", "--http-max-head", "STANDINGS_HTTP_MAX_HEAD", Type::kBytes, "16KiB",
     "Largest head of a request; larger is 431.", kServers, 256, 32 * kKiB},
    {"http.max_headers", "--http-max-headers", "STANDINGS_HTTP_MAX_HEADERS", Type::kCount, "100",
     "Most header fields of a request; more is 431.", kServers, 4, 1000},
    {"http.max_body", "--http-max-body", "STANDINGS_HTTP_MAX_BODY", Type::kBytes, "64KiB",
     "Largest body that is one object; larger is 413.", kServers, 256, kGiB},
    {"http.max_array", "--http-max-array", "STANDINGS_HTTP_MAX_ARRAY", Type::kBytes, "1MiB",
     "Largest body that is an array of submissions; larger is 413.", kServers, 256, kGiB},
    {"http.max_line", "--http-max-line", "STANDINGS_HTTP_MAX_LINE", Type::kBytes, "64KiB",
     "Longest line of an NDJSON stream; longer is refused.", kServers, 64, 16 * kMiB},
    {"http.max_depth", "--http-max-depth", "STANDINGS_HTTP_MAX_DEPTH", Type::kCount, "32",
     "Deepest nesting of JSON; deeper is 400.", kServers, 2, 1000},
    {"http.head_timeout", "--http-head-timeout", "STANDINGS_HTTP_HEAD_TIMEOUT", Type::kDuration,
     "10s", "How long a head may take from its first byte; longer is 408.", kServers, 10, kHour},
    {"http.body_timeout", "--http-body-timeout", "STANDINGS_HTTP_BODY_TIMEOUT", Type::kDuration,
     "30s", "How long a whole body may take, and how long a stream may pause; longer is 408.",
     kServers, 10, kHour},
    {"http.idle_timeout", "--http-idle-timeout", "STANDINGS_HTTP_IDLE_TIMEOUT", Type::kDuration,
     "60s", "How long a connection is kept between requests.", kServers, 10, kDay},
    {"http.write_timeout", "--http-write-timeout", "STANDINGS_HTTP_WRITE_TIMEOUT", Type::kDuration,
     "10s", "How long a client may leave an answer unread.", kServers, 10, kHour},
    {"http.max_connections", "--http-max-connections", "STANDINGS_HTTP_MAX_CONNECTIONS",
     Type::kCount, "0",
     "Most connections, more get 503; 0 is the limit of open files less 256, where a soft limit is "
     "raised, up to 65,536.",
     kServers, 0, 10'000'000},
    {"http.max_connections_per_address", "--http-max-connections-per-address",
     "STANDINGS_HTTP_MAX_CONNECTIONS_PER_ADDRESS", Type::kCount, "4096",
     "Most connections of one address, more get 429; loopback is free.", kServers, 1, 10'000'000},
    {"http.max_pipelined", "--http-max-pipelined", "STANDINGS_HTTP_MAX_PIPELINED", Type::kCount,
     "64", "Answers owed to a connection at which no more of it is read.", kServers, 1, 10'000},
    {"http.max_unsent", "--http-max-unsent", "STANDINGS_HTTP_MAX_UNSENT", Type::kBytes, "1MiB",
     "Unread output of a connection at which no more of it is read.", kServers, 4 * kKiB, kGiB},
    {"http.input_memory", "--http-input-memory", "STANDINGS_HTTP_INPUT_MEMORY", Type::kBytes, "0",
     "Memory for requests that are still arriving, of all connections together; more get 503. At "
     "least four times http.max_array; 0 is a quarter of what the process may use, at most "
     "256MiB.",
     kServers, 0, 1024 * kGiB},
};

inline constexpr Setting kLiveSettings[] = {
    {"live.max_message", "--live-max-message", "STANDINGS_LIVE_MAX_MESSAGE", Type::kBytes, "16KiB",
     "Longest message of a WebSocket's client; a longer one closes it (1009).", kServers, 256,
     256 * kKiB},
    {"live.max_fragments", "--live-max-fragments", "STANDINGS_LIVE_MAX_FRAGMENTS", Type::kCount,
     "64", "Frames in which a message may come; more close the WebSocket (1008).", kServers, 1,
     1'000'000},
    {"live.max_watches", "--live-max-watches", "STANDINGS_LIVE_MAX_WATCHES", Type::kCount, "64",
     "Views that a WebSocket may watch; one more closes it (4409).", kServers, 1, 10'000},
    {"live.ping", "--live-ping", "STANDINGS_LIVE_PING", Type::kDuration, "25s",
     "Silence after which a WebSocket's client is asked for a sign of life; after as much again it "
     "is taken for gone.",
     kServers, 10, kHour},
};

inline constexpr Setting kEngineSettings[] = {
    {"engine.queue", "--engine-queue", "STANDINGS_ENGINE_QUEUE", Type::kCount, "16384",
     "Single submissions that may wait to be made durable; more get 503.", kServers, 1, 10'000'000},
    {"engine.bulk_queue", "--engine-bulk-queue", "STANDINGS_ENGINE_BULK_QUEUE", Type::kCount,
     "16384", "Lines of streams that may wait; then the streams are read more slowly.", kServers,
     1024, 10'000'000},
    {"engine.batch", "--engine-batch", "STANDINGS_ENGINE_BATCH", Type::kCount, "1024",
     "Most submissions in one transaction.", kServers, 1, 65'536},
    {"engine.details_cache", "--engine-details-cache", "STANDINGS_ENGINE_DETAILS_CACHE",
     Type::kBytes, "64MiB", "Memory for names and meta that were read lately.", kServers, 0,
     1024 * kGiB},
    {"engine.read_threads", "--engine-read-threads", "STANDINGS_ENGINE_READ_THREADS", Type::kCount,
     "1", "Threads that read names from the database.", kServers, 1, 64},
    {"engine.read_queue", "--engine-read-queue", "STANDINGS_ENGINE_READ_QUEUE", Type::kCount,
     "4096", "Reads of names that may wait; more get 503.", kServers, 1, 1'000'000},
    {"engine.slow_read_threads", "--engine-slow-read-threads", "STANDINGS_ENGINE_SLOW_READ_THREADS",
     Type::kCount, "3", "Threads for lists, exports and histories.", kServers, 1, 64},
    {"engine.slow_read_queue", "--engine-slow-read-queue", "STANDINGS_ENGINE_SLOW_READ_QUEUE",
     Type::kCount, "64", "Lists, exports and histories that may wait; more get 503.", kServers, 1,
     1'000'000},
    {"engine.position_waits", "--engine-position-waits", "STANDINGS_ENGINE_POSITION_WAITS",
     Type::kCount, "10000", "Reads that may wait for their min_seq; more get 503.", kServers, 1,
     1'000'000},
};

inline constexpr Setting kStorageSettings[] = {
    {"database.cache", "--database-cache", "STANDINGS_DATABASE_CACHE", Type::kBytes, "16MiB",
     "Memory for pages of the database.", kServe, kMiB, 1024 * kGiB},
    {"database.reserve", "--database-reserve", "STANDINGS_DATABASE_RESERVE", Type::kBytes, "64MiB",
     "Disk space held back, so that a full disk can be ended in order.", kServe, 0, 1024 * kGiB},
    {"database.checkpoint_pages", "--database-checkpoint-pages",
     "STANDINGS_DATABASE_CHECKPOINT_PAGES", Type::kCount, "1000",
     "Pages of the write-ahead log between two checkpoints.", kServe, 1, 1'000'000},
    {"database.wal_warning", "--database-wal-warning", "STANDINGS_DATABASE_WAL_WARNING",
     Type::kBytes, "256MB", "Size of the write-ahead log at which the log warns of a long reader.",
     kServe, kMiB, 1024 * kGiB},
    {"backup.every", "--backup-every", "STANDINGS_BACKUP_EVERY", Type::kDuration, "0s",
     "Time between two backups that the server makes by itself; 0: only when asked.", kServe, 0,
     365 * kDay},
    {"backup.keep", "--backup-keep", "STANDINGS_BACKUP_KEEP", Type::kCount, "7",
     "Newest backups that are kept after each one that succeeds.", kServe | kBackup, 1, 100'000},
    {"backup.rate", "--backup-rate", "STANDINGS_BACKUP_RATE", Type::kBytes, "16MB",
     "Bytes a second that a backup copies, and reads again; faster is felt by who submits.", kServe,
     kMiB, 1024 * kGiB},
    {"backup.folder", "--backup-folder", "STANDINGS_BACKUP_FOLDER", Type::kText, "",
     "Folder of the backups; backups in the data folder when it is empty.", kServe | kBackup},
    {"retention.age", "--retention-age", "STANDINGS_RETENTION_AGE", Type::kDuration, "30d",
     "How long submissions stay in the ledger; entries stay.", kServe, kSecond, 36'500 * kDay},
    {"retention.size", "--retention-size", "STANDINGS_RETENTION_SIZE", Type::kBytes, "20GB",
     "Size of the database at which the oldest submissions go.", kServe, kMiB, 1024 * 1024 * kGiB},
    {"idempotency.window", "--idempotency-window", "STANDINGS_IDEMPOTENCY_WINDOW", Type::kDuration,
     "24h", "How long an Idempotency-Key is remembered.", kServers, kSecond, 365 * kDay},
    {"idempotency.keys", "--idempotency-keys", "STANDINGS_IDEMPOTENCY_KEYS", Type::kCount,
     "1000000", "Most Idempotency-Keys that are remembered; 40 bytes of memory each.", kServers, 1,
     1'000'000'000},
};

inline constexpr Setting kLogSettings[] = {
    {"log.level",
     "--log-level",
     "STANDINGS_LOG_LEVEL",
     Type::kChoice,
     "info",
     "The least that is logged; debug has every request.",
     kServers,
     0,
     0,
     {"debug", "info", "warning", "error", "off"}},
    {"log.format",
     "--log-format",
     "STANDINGS_LOG_FORMAT",
     Type::kChoice,
     "auto",
     "Pretty, or one JSON object a line; auto is pretty on a terminal.",
     kServers,
     0,
     0,
     {"auto", "pretty", "json"}},
    {"log.slow_request", "--log-slow-request", "STANDINGS_LOG_SLOW_REQUEST", Type::kDuration, "1s",
     "Requests that take longer are logged as warnings; 0 turns it off.", kServers, 0, kDay},
    {"log.queue", "--log-queue", "STANDINGS_LOG_QUEUE", Type::kCount, "1024",
     "Lines that may wait for a slow reader of the log; more are dropped and counted.", kServers,
     16, 1'000'000},
};

inline constexpr Setting kClientSettings[] = {
    {"client.server", "--server", "STANDINGS_SERVER", Type::kText, "http://127.0.0.1:8420",
     "Address of the server.", kClient},
    {"client.key", "--key", "STANDINGS_KEY", Type::kSecret, "", "Key for what is not public.",
     kClient},
    {"client.output",
     "--output",
     "STANDINGS_OUTPUT",
     Type::kChoice,
     "table",
     "How lists are written, and reports where it is json or ndjson.",
     kClient,
     0,
     0,
     {"table", "json", "ndjson", "csv"}},
};

namespace internal {

template <std::size_t... Counts>
constexpr auto concatenated(const Setting (&... parts)[Counts]) {
    std::array<Setting, (Counts + ...)> all{};
    std::size_t at = 0;
    const auto add = [&](const auto& part) {
        for (const Setting& setting : part) all[at++] = setting;
    };
    (add(parts), ...);
    return all;
}

}  // namespace internal

inline constexpr auto kTable =
    internal::concatenated(kServerSettings, kHttpSettings, kLiveSettings, kEngineSettings,
                           kStorageSettings, kLogSettings, kClientSettings);

inline constexpr Group kGroups[] = {
    {"Server", 0, std::size(kServerSettings)},
    {"HTTP limits", std::size(kServerSettings), std::size(kHttpSettings)},
    {"Live", std::size(kServerSettings) + std::size(kHttpSettings), std::size(kLiveSettings)},
    {"Engine", std::size(kServerSettings) + std::size(kHttpSettings) + std::size(kLiveSettings),
     std::size(kEngineSettings)},
    {"Database",
     kTable.size() - std::size(kClientSettings) - std::size(kLogSettings) -
         std::size(kStorageSettings),
     std::size(kStorageSettings)},
    {"Log", kTable.size() - std::size(kClientSettings) - std::size(kLogSettings),
     std::size(kLogSettings)},
    {"Client", kTable.size() - std::size(kClientSettings), std::size(kClientSettings)},
};

// Where `key` stands in kTable.
constexpr std::optional<std::size_t> find_key(std::string_view key) {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        if (kTable[i].key == key) return i;
    }
    return std::nullopt;
}

// A key that the compiler has looked up: one that is not in the table, or of another type, does not
// compile.
template <Type... kTypes>
struct Key {
    consteval Key(const char* key) : index(find_key(key).value()) {  // NOLINT
        if (((kTable[index].type != kTypes) && ...)) throw "a setting of another type";
    }
    std::size_t index;
};

}  // namespace standings::settings
