// Measures the ledger alone: random submissions to one large board, events appended and entries
// written back late, against entries updated at once. docs/decisions/0001-write-back.md has its
// figures.
//
//     ledger_bench FOLDER [--players 5000000] [--batch 64] [--seconds 20] [--checkpoint 1000]
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "ledger/sqlite/sqlite_ledger.h"
#include "ledger/write_back.h"

namespace standings::ledger {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
    return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// What the process has sent to the disk so far.
double written_bytes() {
    std::ifstream io("/proc/self/io");
    std::string name;
    double value = 0;
    while (io >> name >> value) {
        if (name == "write_bytes:") return value;
    }
    return 0;
}

double quantile(std::vector<double>& values, double q) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
}

void print_fsync_latency(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "fsync.tmp";
    const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    CHECK(file >= 0);
    const std::vector<char> block(16384, 'x');
    // In place, as a WAL that starts over: a file that grows pays for its size as well.
    constexpr int kBlocks = 256;
    for (int i = 0; i < kBlocks; ++i) {
        CHECK(::pwrite(file, block.data(), block.size(), i * 16384) > 0);
    }
    CHECK(::fsync(file) == 0);
    std::vector<double> times;
    for (int i = 0; i < 1000; ++i) {
        CHECK(::pwrite(file, block.data(), block.size(), i % kBlocks * 16384) > 0);
        const auto start = SteadyClock::now();
        CHECK(::fdatasync(file) == 0);
        times.push_back(seconds_since(start) * 1e6);
    }
    ::close(file);
    std::filesystem::remove(path);
    std::printf("fdatasync of 16 KB: p50 %.0f us, p99 %.0f us\n", quantile(times, 0.5),
                quantile(times, 0.99));
}

class Bench {
  public:
    Bench(std::filesystem::path folder, std::uint32_t players, std::uint64_t checkpoint)
        : folder_(std::move(folder)),
          checkpoint_(checkpoint),
          entries_(players),
          write_back_(base::Sequence{}) {}

    void open() {
        auto ledger = SqliteLedger::open({.folder = folder_, .checkpoint_pages = checkpoint_});
        if (!ledger) {
            std::fprintf(stderr, "%s\n", ledger.error().detail.c_str());
            std::exit(1);
        }
        ledger_ = *std::move(ledger);
    }

    // All players with one submission each, in large batches, folded at the end.
    void fill() {
        const auto start = SteadyClock::now();
        BoardRecord board;
        board.id = {1};
        board.ranking = {1};
        board.slug = "bench";
        board.config.title = "Bench";
        CHECK(ledger_->begin({}));
        CHECK(ledger_->append({.boards = {&board, 1}}));
        CHECK(ledger_->commit().outcome == CommitOutcome::kCommitted);
        constexpr std::uint32_t kBatch = 1024;
        for (std::uint32_t from = 0; from < entries_.size(); from += kBatch) {
            const auto to =
                std::min<std::uint32_t>(from + kBatch, static_cast<std::uint32_t>(entries_.size()));
            players_.clear();
            rows_.clear();
            for (std::uint32_t slot = from; slot < to; ++slot) {
                char id[32];
                std::snprintf(id, sizeof id, "player-%013u", slot * 2654435761U);
                players_.push_back({{{1}, {slot}}, id, {}});
            }
            // Written back with the next batch: in slot order, as the fold does it.
            for (std::uint32_t slot = from < kBatch ? 0 : from - kBatch; slot < from; ++slot) {
                rows_.push_back({{{1}, {slot}}, false, 1, entries_[slot]});
            }
            build(to - from, [&](std::size_t i) { return from + static_cast<std::uint32_t>(i); });
            commit({.events = events_, .new_players = players_, .write_back = rows_});
            CHECK(ledger_->maintain({1'700'000'000'000}, kNoKeys));
        }
        rows_.clear();
        const auto count = static_cast<std::uint32_t>(entries_.size());
        for (std::uint32_t slot = count < kBatch ? 0 : (count - 1) / kBatch * kBatch; slot < count;
             ++slot) {
            rows_.push_back({{{1}, {slot}}, false, 1, entries_[slot]});
        }
        commit({.write_back = rows_, .fold_mark = last_seq_});
        write_back_ = WriteBack(last_seq_);
        std::printf("fill: %zu players in %.1f s\n", entries_.size(), seconds_since(start));
    }

    void measure(bool late, std::size_t batch, double seconds) {
        std::mt19937_64 random(1);
        std::uniform_int_distribution<std::uint32_t> any(
            0, static_cast<std::uint32_t>(entries_.size() - 1));
        std::vector<double> commits;
        std::vector<double> cycles;
        std::vector<EntryKey> changed;
        WriteBackSlice slice;
        std::uint64_t scores = 0;
        std::uint64_t rows = 0;
        // Late write-back is only itself once the dirty set has reached its size.
        double measured_from = 0;
        const double warm_up = late ? 600 : 2;
        const auto start = SteadyClock::now();
        double cpu = 0;
        double bytes = 0;
        bool warm = false;
        while (true) {
            const double now = seconds_since(start);
            const bool is_warm =
                now > warm_up || (late && write_back_.wanted(last_seq_, entries_.size(), false));
            if (!warm && is_warm) {
                warm = true;
                measured_from = now;
                cpu = cpu_seconds();
                bytes = written_bytes();
                scores = rows = 0;
                commits.clear();
                cycles.clear();
            }
            if (warm && now > measured_from + seconds) break;

            const auto cycle = SteadyClock::now();
            rows_.clear();
            std::optional<base::Sequence> fold;
            if (late) {
                if (write_back_.wanted(last_seq_, entries_.size(), false)) {
                    write_back_.plan(2 * batch, last_seq_, slice);
                    for (const EntryKey& key : slice.keys) {
                        rows_.push_back({key, false, 1, entries_[key.slot.value]});
                    }
                    fold = slice.fold_mark;
                }
            } else {
                std::sort(changed.begin(), changed.end());
                changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
                for (const EntryKey& key : changed) {
                    rows_.push_back({key, false, 1, entries_[key.slot.value]});
                }
                fold = last_seq_;
                changed.clear();
            }
            rows += rows_.size();
            build(batch, [&](std::size_t) { return any(random); });
            const auto begun = SteadyClock::now();
            commit({.events = events_, .write_back = rows_, .fold_mark = fold});
            commits.push_back(seconds_since(begun) * 1e3);
            if (late && !rows_.empty()) write_back_.committed(slice);
            for (const Event& event : events_) {
                if (late) {
                    write_back_.mark({{1}, event.slot});
                } else {
                    changed.push_back({{1}, event.slot});
                }
            }
            scores += batch;
            CHECK(ledger_->maintain({1'700'000'000'000}, kNoKeys));
            cycles.push_back(seconds_since(cycle) * 1e3);
        }
        const double wall = seconds_since(start) - measured_from;
        const auto count = static_cast<double>(scores);
        std::printf(
            "%s: %.0f events/s, commit p50 %.2f p99 %.2f max %.1f ms, with checkpoints p99"
            " %.2f ms, CPU %.2f us, disk %.0f bytes a score, %.2f rows a score\n",
            late ? "write-back" : "at once   ", count / wall, quantile(commits, 0.5),
            quantile(commits, 0.99), quantile(commits, 1), quantile(cycles, 0.99),
            (cpu_seconds() - cpu) / count * 1e6, (written_bytes() - bytes) / count,
            static_cast<double>(rows) / count);
        const LedgerSizes sizes = ledger_->sizes();
        std::printf("            database %.0f MB, WAL %.0f MB, dirty %zu\n",
                    static_cast<double>(sizes.database_bytes) * 1e-6,
                    static_cast<double>(sizes.wal_bytes) * 1e-6, write_back_.dirty());
    }

    void measure_load() {
        CHECK(ledger_->close());
        ledger_.reset();
        const auto start = SteadyClock::now();
        open();
        std::printf("open: %.1f ms\n", seconds_since(start) * 1e3);
        const auto scan = [](const char* what, auto open_cursor, auto row) {
            const auto begun = SteadyClock::now();
            auto cursor = open_cursor().value();
            std::uint64_t count = 0;
            while (cursor->next(row).value()) ++count;
            std::printf("load: %lu %s in %.2f s\n", count, what, seconds_since(begun));
        };
        std::thread other([&] {
            scan(
                "players", [&] { return ledger_->players(); }, PlayerRecord{});
        });
        scan(
            "entries", [&] { return ledger_->entries(); }, EntryRecord{});
        other.join();
        scan(
            "events",
            [&] { return ledger_->events({ledger_->state().last_seq.value - 1'000'000}); },
            Event{});
        scan(
            "keyed events",
            [&] { return ledger_->keyed_events(std::chrono::hours(24), 1'000'000); }, Event{});
    }

  private:
    template <class Pick>
    void build(std::size_t count, Pick pick) {
        events_.clear();
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t slot = pick(i);
            ranking::Entry& entry = entries_[slot];
            Event& event = events_.emplace_back();
            event.seq = {last_seq_.value + i + 1};
            event.board = {1};
            event.ranking = {1};
            event.slot = {slot};
            event.had_entry = entry.last_seq.value > 0;
            event.previous = entry.scores;
            event.input.units[0] = static_cast<std::int64_t>(event.seq.value * 7919 % 1'000'000);
            event.result = event.input;
            event.prev_seq = entry.last_seq;
            event.at = {1'700'000'000'000 + static_cast<std::int64_t>(event.seq.value)};
            event.key = {event.seq.value * 0x9E3779B97F4A7C15ULL, ~event.seq.value};
            event.fingerprint = event.key.high ^ 77;
        }
    }

    void commit(const Batch& batch) {
        CHECK(ledger_->begin({}));
        CHECK(ledger_->append(batch));
        CHECK(ledger_->commit().outcome == CommitOutcome::kCommitted);
        for (const Event& event : batch.events) {
            ranking::Entry& entry = entries_[event.slot.value];
            entry.scores = event.result;
            entry.reached_seq = entry.last_seq = event.seq;
            entry.reached_at = event.at;
            ++entry.submissions;
        }
        last_seq_ = ledger_->state().last_seq;
    }

    std::filesystem::path folder_;
    std::uint64_t checkpoint_;
    std::unique_ptr<SqliteLedger> ledger_;
    std::vector<ranking::Entry> entries_;
    WriteBack write_back_;
    base::Sequence last_seq_;
    std::vector<Event> events_;
    std::vector<PlayerRecord> players_;
    std::vector<EntryRecord> rows_;
};

int run(int argc, char** argv) {
    std::uint32_t players = 5'000'000;
    std::size_t batch = 64;
    double seconds = 20;
    std::uint64_t checkpoint = 1000;
    if (argc < 2) {
        std::fprintf(
            stderr,
            "ledger_bench FOLDER [--players N] [--batch N] [--seconds N] [--checkpoint PAGES]\n");
        return 2;
    }
    for (int i = 2; i + 1 < argc; i += 2) {
        const double value = std::atof(argv[i + 1]);
        if (std::strcmp(argv[i], "--players") == 0) players = static_cast<std::uint32_t>(value);
        if (std::strcmp(argv[i], "--batch") == 0) batch = static_cast<std::size_t>(value);
        if (std::strcmp(argv[i], "--seconds") == 0) seconds = value;
        if (std::strcmp(argv[i], "--checkpoint") == 0)
            checkpoint = static_cast<std::uint64_t>(value);
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::printf("%u players, batch %zu\n", players, batch);
    const std::filesystem::path folder(argv[1]);
    print_fsync_latency(folder);
    Bench bench(folder, players, checkpoint);
    bench.open();
    bench.fill();
    bench.measure(true, batch, seconds);
    bench.measure(false, batch, seconds);
    bench.measure_load();
    return 0;
}

}  // namespace
}  // namespace standings::ledger

int main(int argc, char** argv) {
    return standings::ledger::run(argc, argv);
}
