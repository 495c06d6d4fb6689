// A start from damaged files: whatever was changed in them, what is served afterwards is what was
// there before, or the damage is found: by the start, by the read, or by `standings check`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_feed.h"
#include "base/check.h"
#include "base/random.h"
#include "engine/loader.h"
#include "engine/registry.h"
#include "engine/row_changer.h"
#include "ledger/sqlite/check.h"
#include "ledger/sqlite/data_folder.h"
#include "ledger/sqlite/sqlite_ledger.h"
#include "ledger/tiny_engine.h"

namespace standings::engine {

// Owner and thread: the test.
class RecoveryHarness {
  public:
    RecoveryHarness() {
        make_files();
        put_files(files_);
        const auto served = start_and_read();
        CHECK(served);
        truth_ = *served;
        CHECK(is_whole());
    }

    // Four bytes of `damage` each change one byte of the files: three say where, one how.
    void damage_is_found_or_means_nothing(base::ByteFeed damage) {
        std::vector<std::string> damaged = files_;
        int changes = 0;
        for (; !damage.empty() && changes < 64; ++changes) {
            const auto change = damage.number<std::uint32_t>();
            flip(damaged, change & 0xFFFFFFU, static_cast<std::uint8_t>(change >> 24));
        }
        put_files(damaged);
        const bool whole = is_whole();
        put_files(damaged);
        const auto served = start_and_read();
        // docs/durability.md promises no more: a row that is there fits its checksum, and the start
        // compares players with entries and boards, and follows the chain from the fold mark on.
        // The row of a board without players, or an older event, that is missing with its page
        // leaves nothing behind that could be wrong, so only `check` finds it; several damages
        // together may take away what tells of one another, as a log and its mark do.
        if (!served) return;
        CHECK(!whole || *served == truth_);
        if (changes == 1) CHECK(is_part_of_truth(*served));
    }

    // Rows that are whole, and say something else (row_changer.h). Nothing of that can be found for
    // sure; but a start ends with an error, or with boards whose structure holds.
    void nonsense_is_refused_or_holds(base::ByteFeed choices) {
        put_files(files_);
        std::filesystem::remove(path("standings.mark"));  // it knows the last event
        {
            RowChanger changer(path("standings.db"));
            for (int changes = 0; !choices.empty() && changes < 8; ++changes) {
                changer.change_one(choices);
            }
            changer.make_chain();
        }
        static_cast<void>(is_whole());
        static_cast<void>(start_and_read());
    }

    std::size_t bytes() const {
        std::size_t total = 0;
        for (const std::string& file : files_) total += file.size();
        return total;
    }

  private:
    static constexpr const char* kNames[] = {"standings.db", "standings.db-wal", "standings.mark"};
    static constexpr base::Instant kNow{1'790'000'000'000};
    class StillClock final : public base::Clock {
      public:
        base::Instant now() const override { return kNow; }
        base::Monotonic monotonic() const override { return {}; }
    };

    // What a start serves of one board: ranks, scores and names, and its events, one line each.
    struct ServedBoard {
        std::string standings;
        std::vector<std::string> events;
        friend bool operator==(const ServedBoard&, const ServedBoard&) = default;
    };
    using Served = std::map<std::string, ServedBoard>;  // by slug

    // Boards without players may be missing, and events; the standings of those that are there are
    // the true ones.
    bool is_part_of_truth(const Served& served) const {
        return std::all_of(served.begin(), served.end(), [&](const auto& one) {
            const auto& [slug, board] = one;
            const auto truth = truth_.find(slug);
            if (truth == truth_.end() || board.standings != truth->second.standings) return false;
            auto known = truth->second.events.begin();
            for (const std::string& event : board.events) {
                known = std::find(known, truth->second.events.end(), event);
                if (known == truth->second.events.end()) return false;
                ++known;
            }
            return true;
        });
    }

    std::filesystem::path path(const char* name) const { return folder_.path() / name; }

    ledger::SqliteOptions options() {
        return {.folder = folder_.path(),
                .random = &random_,
                .reserve_bytes = 0,
                .checkpoint_pages = 1'000'000};
    }

    // A database with some of everything, and a journal with what came last, as a kill leaves them.
    void make_files() {
        using ledger::CommitOutcome;
        ledger::TinyEngine engine(1);
        const auto commit = [&](ledger::Ledger& ledger) {
            CHECK(engine.commit(ledger) == CommitOutcome::kCommitted);
        };
        ranking::Rules last{.rule = ranking::Rule::kLast};
        ranking::Rules two{.rule = ranking::Rule::kLast, .ties = ranking::Ties::kEarliest};
        two.columns = {{.name = "points"},
                       {.name = "time", .order = ranking::Order::kAscending, .decimals = 2}};

        auto ledger = ledger::SqliteLedger::open(options()).value();
        const auto a = engine.create_board("a", last);
        const auto b = engine.create_board("b", two);
        const auto gone = engine.create_board("gone", last);
        for (int i = 0; i < 40; ++i) {
            engine.submit(a, "p" + std::to_string(i % 25), {{i * 7 % 23}});
            engine.submit(b, "q" + std::to_string(i % 9), {{i % 4, i * 50}},
                          {9, 100 + static_cast<std::uint64_t>(i)});
        }
        for (int i = 0; i < 5; ++i) engine.submit(gone, "r" + std::to_string(i), {{i}});
        commit(*ledger);
        engine.rename(a, {3}, {"Ann", R"({"car":"gt3"})"});
        engine.remove(a, {5});
        commit(*ledger);
        engine.plan_write_back(1'000'000);
        commit(*ledger);
        engine.delete_board(gone);
        commit(*ledger);
        CHECK(ledger->close());

        ledger = ledger::SqliteLedger::open(options()).value();
        for (int i = 0; i < 12; ++i) {
            engine.submit(a, "p" + std::to_string(i * 3), {{1000 + i}});
            if (i % 4 == 0) commit(*ledger);
        }
        engine.remove(b, {2});
        commit(*ledger);
        files_.clear();
        for (const char* name : kNames) {
            std::ifstream file(path(name), std::ios::binary);
            files_.emplace_back(std::istreambuf_iterator<char>(file),
                                std::istreambuf_iterator<char>());
            CHECK(!files_.back().empty());
        }
    }

    void put_files(const std::vector<std::string>& files) {
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
            std::filesystem::remove(entry.path());
        }
        for (std::size_t i = 0; i < files.size(); ++i) {
            std::ofstream(path(kNames[i]), std::ios::binary) << files[i];
        }
    }

    static void flip(std::vector<std::string>& files, std::size_t at, std::uint8_t bits) {
        std::size_t total = 0;
        for (const std::string& file : files) total += file.size();
        at %= total;
        std::size_t file = 0;
        while (at >= files[file].size()) at -= files[file++].size();
        files[file][at] = static_cast<char>(files[file][at] ^ (bits == 0 ? 1 : bits));
    }

    bool is_whole() {
        const auto report = ledger::sqlite::check_database(
            {.database = path("standings.db"), .mark = path("standings.mark")});
        return report && report->whole();
    }

    // Everything that can be asked for; none when the start or a read says that something is wrong.
    std::optional<Served> start_and_read() {
        auto ledger = ledger::SqliteLedger::open(options());
        if (!ledger) return std::nullopt;
        // Upkeep deletes what no board has any more, and nothing else.
        for (int i = 0; i < 20; ++i) {
            const auto more = (*ledger)->maintain(kNow, ledger::kNoKeys);
            if (!more) return std::nullopt;
            if (!*more) break;
        }
        Registry registry;
        if (!load(**ledger, registry, StillClock(), {})) return std::nullopt;
        registry.for_each([](HostedBoard& board) { board.committed_board().check(); });
        auto reader = (*ledger)->open_reader();
        if (!reader) return std::nullopt;
        Served all;
        bool readable = true;
        registry.for_each([&](HostedBoard& board) {
            readable = readable && read_board(board, **reader, all[board.slug()]);
        });
        if (!readable) return std::nullopt;
        return all;
    }

    static bool read_board(const HostedBoard& board, ledger::LedgerReader& reader,
                           ServedBoard& served) {
        std::string& out = served.standings;
        const auto say = [&](const auto& number) { out += std::to_string(number) + ' '; };
        const ledger::BoardRecord record = board.record();
        out += record.config.title + ' ';
        for (const auto& column : record.config.rules.columns) out += column.name + ' ';
        const ranking::Board& rows_of = board.committed_board();
        std::vector<ranking::Row> rows;
        rows_of.page(0, rows_of.size(), rows);
        std::vector<ledger::EntryKey> keys;
        for (const ranking::Row& row : rows) keys.push_back({record.ranking, row.slot});
        const auto details = reader.details(keys);
        if (!details) return false;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            say(rows[i].place.rank.value);
            for (const std::int64_t units : rows[i].scores.units) say(units);
            say(rows[i].reached_seq.value);
            say(rows[i].reached_at.ms);
            out += std::string(rows_of.player_id(rows[i].slot)) + ' ';
            const ledger::Details& known = (*details)[i].details;
            out += known.name.value_or("-") + ' ' + known.meta.value_or("-") + '\n';
        }
        const auto events = reader.ranking_events(record.ranking, {}, 10'000);
        if (!events) return false;
        for (const ledger::Event& event : events->events) {
            std::string line = std::to_string(event.seq.value) + ' ' +
                               std::to_string(static_cast<int>(event.kind)) + ' ' +
                               std::to_string(event.slot.value);
            for (const std::int64_t units : event.result.units) line += ' ' + std::to_string(units);
            served.events.push_back(std::move(line));
        }
        return true;
    }

    ledger::DataFolder folder_;
    base::SeededRandom random_{1};
    std::vector<std::string> files_;
    Served truth_;
};

}  // namespace standings::engine
