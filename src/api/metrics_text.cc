#include "api/metrics_text.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "api/publisher.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

void append_head(std::string& out, std::string_view name, std::string_view type,
                 std::string_view help) {
    out += "# HELP ";
    out += name;
    out += ' ';
    out += help;
    out += "\n# TYPE ";
    out += name;
    out += ' ';
    out += type;
    out += '\n';
}

void append_metric(std::string& out, std::string_view name, std::string_view type,
                   std::string_view help, std::uint64_t value) {
    append_head(out, name, type, help);
    out += name;
    out += ' ';
    text::append_number(out, value);
    out += '\n';
}

void append_seconds(std::string& out, double seconds) {
    char text[32];
    const int size = std::snprintf(text, sizeof text, "%.6g", seconds);
    out.append(text, static_cast<std::size_t>(size));
}

void append_durations(std::string& out, std::string_view name, std::string_view help,
                      const engine::DurationHistogram& histogram) {
    append_head(out, name, "histogram", help);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < engine::DurationHistogram::kBuckets; ++i) {
        sum += histogram.count(i);
        out += name;
        out += "_bucket{le=\"";
        if (i + 1 == engine::DurationHistogram::kBuckets) {
            out += "+Inf";
        } else {
            append_seconds(out, engine::DurationHistogram::upper_seconds(i));
        }
        out += "\"} ";
        text::append_number(out, sum);
        out += '\n';
    }
    out += name;
    out += "_sum ";
    append_seconds(out, histogram.sum_seconds());
    out += '\n';
    out += name;
    out += "_count ";
    text::append_number(out, sum);
    out += '\n';
}

std::uint64_t resident_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr) return 0;
    unsigned long total = 0;
    unsigned long resident = 0;
    const int read = std::fscanf(file, "%lu %lu", &total, &resident);
    std::fclose(file);
    return read == 2 ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

void append_transport(std::string& out, const net::Counters& counters) {
    append_metric(out, "standings_connections_open", "gauge", "Connections open now.",
                  counters.connections_open);
    append_metric(out, "standings_connections_accepted_total", "counter", "Connections accepted.",
                  counters.connections_accepted);
    append_metric(out, "standings_connections_refused_total", "counter",
                  "Connections refused for a limit.", counters.connections_refused);
    append_metric(out, "standings_requests_total", "counter", "Requests read.", counters.requests);
    append_head(out, "standings_responses_total", "counter", "Answers by class of status.");
    for (std::size_t i = 2; i < 6; ++i) {
        out += "standings_responses_total{class=\"";
        text::append_number(out, i);
        out += "xx\"} ";
        text::append_number(out, counters.responses_by_class[i]);
        out += '\n';
    }
    append_metric(out, "standings_received_bytes_total", "counter", "Bytes read.",
                  counters.bytes_in);
    append_metric(out, "standings_sent_bytes_total", "counter", "Bytes written.",
                  counters.bytes_out);
    append_metric(out, "standings_timeouts_total", "counter", "Connections that took too long.",
                  counters.timeouts);
    append_metric(out, "standings_input_memory_bytes", "gauge",
                  "Memory held by requests that are still arriving.", counters.input_bytes);
    append_metric(out, "standings_input_memory_refused_total", "counter",
                  "Requests refused because others held all of it.", counters.inputs_refused);
}

void append_backups(std::string& out, const jobs::Backups& backups, const base::Clock& clock) {
    const jobs::BackupStatistics& statistics = backups.statistics();
    append_metric(out, "standings_backups_total", "counter", "Backups made since the start.",
                  statistics.made);
    append_metric(out, "standings_backup_failures_total", "counter",
                  "Backups that failed since the start.", statistics.failed);
    const std::int64_t last = statistics.last_at_ms;
    if (last == 0) return;  // a size or age of 0 would look like a fresh one
    const std::int64_t age = std::max<std::int64_t>(clock.now().ms - last, 0);
    append_metric(out, "standings_backup_age_seconds", "gauge", "Time since the newest backup.",
                  static_cast<std::uint64_t>(age / 1000));
    append_metric(out, "standings_backup_bytes", "gauge", "Size of the newest backup.",
                  statistics.last_bytes);
    append_head(out, "standings_backup_duration_seconds", "gauge",
                "How long the newest backup took.");
    out += "standings_backup_duration_seconds ";
    append_seconds(out, static_cast<double>(statistics.last_took_ms) / 1e3);
    out += '\n';
}

void append_live(std::string& out, Publisher& publisher) {
    const LiveStatistics& statistics = publisher.statistics();
    append_metric(out, "standings_live_watchers", "gauge", "Views watched by clients now.",
                  publisher.watchers());
    append_metric(out, "standings_live_views", "gauge",
                  "Views kept for watchers, also for those who may come back.",
                  publisher.streams());
    append_head(out, "standings_live_frames_total", "counter", "Frames sent to watchers, by kind.");
    const std::pair<std::string_view, const std::atomic<std::uint64_t>&> kinds[] = {
        {"snapshot", statistics.snapshots},
        {"delta", statistics.deltas},
        {"beat", statistics.beats}};
    for (const auto& [kind, count] : kinds) {
        out += "standings_live_frames_total{kind=\"";
        out += kind;
        out += "\"} ";
        text::append_number(out, count.load());
        out += '\n';
    }
    append_metric(out, "standings_live_skipped_total", "counter",
                  "Frames that were not sent to watchers who read too slowly.", statistics.skipped);
    append_head(out, "standings_live_resumes_total", "counter",
                "Watchers that came back, by whether they went on where they were.");
    const std::pair<std::string_view, const std::atomic<std::uint64_t>&> resumes[] = {
        {"true", statistics.recovered}, {"false", statistics.unrecovered}};
    for (const auto& [recovered, count] : resumes) {
        out += "standings_live_resumes_total{recovered=\"";
        out += recovered;
        out += "\"} ";
        text::append_number(out, count.load());
        out += '\n';
    }
    append_durations(out, "standings_live_publish_delay_seconds",
                     "From a board's change until a loop's watchers of a view have its frame.",
                     statistics.publish_delay);
}

}  // namespace

void append_metrics(std::string& out, const Service& service) {
    const engine::Statistics& engine = service.engine.statistics();
    append_metric(out, "standings_boards", "gauge", "Boards there are.",
                  service.engine.registry().size());
    append_metric(out, "standings_players", "gauge", "Players over all boards.", engine.players);
    append_metric(out, "standings_ledger_seq", "gauge", "Ledger position that is applied.",
                  engine.applied_seq);
    append_metric(out, "standings_events_total", "counter", "Events made durable since the start.",
                  engine.events);
    append_metric(out, "standings_commits_total", "counter", "Transactions since the start.",
                  engine.batches);
    append_metric(out, "standings_commits_rolled_back_total", "counter",
                  "Transactions that the disk refused.", engine.rolled_back);
    append_durations(out, "standings_commit_duration_seconds",
                     "Time of a transaction, fsync included.", engine.commit_duration);
    append_metric(out, "standings_write_queue_depth", "gauge",
                  "Operations that wait to be made durable.", service.engine.queue_depth());
    append_metric(out, "standings_dirty_entries", "gauge",
                  "Entries that memory holds newer than the database.", engine.dirty_entries);
    append_metric(out, "standings_fold_mark", "gauge",
                  "Ledger position up to which entries are written back.", engine.fold_mark);
    append_metric(out, "standings_entries_written_back_total", "counter",
                  "Entries written back since the start.", engine.written_back);
    append_metric(out, "standings_idempotency_keys", "gauge", "Idempotency keys remembered.",
                  engine.idempotency_keys);
    append_metric(out, "standings_details_cache_bytes", "gauge", "Names and meta in memory.",
                  service.engine.details().bytes());
    append_metric(out, "standings_position_waits", "gauge", "Reads that wait for min_seq.",
                  service.engine.waits().size());
    append_metric(out, "standings_database_bytes", "gauge", "Size of the database file.",
                  engine.database_bytes);
    append_metric(out, "standings_wal_bytes", "gauge",
                  "Size of the write-ahead log; a warning is due at 256 MB.", engine.wal_bytes);
    append_metric(out, "standings_write_health", "gauge",
                  "0 writing, 1 disk full (tried again each second), 2 stopped until a restart.",
                  static_cast<std::uint64_t>(engine.health.load()));
    append_metric(out, "standings_resident_bytes", "gauge", "Memory of the process.",
                  resident_bytes());
    append_live(out, *service.publisher);
    if (service.backups != nullptr) append_backups(out, *service.backups, service.engine.clock());
    if (const net::Server* transport = service.transport) {
        append_transport(out, transport->counters());
    }
}

}  // namespace standings::api
