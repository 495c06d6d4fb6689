// What the hot calls of a board cost: one million players, or STANDINGS_BENCH_PLAYERS.
//
//   ninja -C build/release ranking_bench && taskset -c 1 build/release/src/ranking/ranking_bench
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ranking/board.h"

namespace standings::ranking {
namespace {

std::uint32_t player_total() {
    const char* text = std::getenv("STANDINGS_BENCH_PLAYERS");
    return text != nullptr ? static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10))
                           : 1'000'000;
}

constexpr std::uint32_t kScoreRange = 1'000'000'000;

std::string id_of(std::uint32_t player) {
    std::string digits = std::to_string(player);
    return "player-" + std::string(13 - digits.size(), '0') + digits;  // 20 characters
}

Entry entry_of(std::int64_t score, std::uint64_t seq) {
    Entry entry{.scores = {{score}},
                .reached_seq = {seq},
                .last_seq = {seq},
                .reached_at = {1'700'000'000'000}};
    entry.submissions = 1;
    return entry;
}

std::size_t allocated() {
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}

// The board that all benchmarks share: players in random order of score, put one by one.
struct World {
    World() {
        const std::size_t before = allocated();
        Board fresh(Rules{});
        for (std::uint32_t i = 0; i < player_total(); ++i) {
            const auto slot = fresh.add_player(id_of(i));
            fresh.put(slot, entry_of(static_cast<std::int64_t>(random() % kScoreRange), ++seq));
        }
        board.emplace(std::move(fresh));
        heap_bytes = allocated() - before;
    }

    base::PlayerSlot any_slot() { return {static_cast<std::uint32_t>(random() % player_total())}; }

    std::mt19937_64 random{42};
    std::uint64_t seq = 0;
    std::optional<Board> board;
    std::size_t heap_bytes = 0;
};

World& world() {
    static World one;
    return one;
}

void update(benchmark::State& state) {
    World& w = world();
    for (auto _ : state) {
        const auto score = static_cast<std::int64_t>(w.random() % kScoreRange);
        w.board->put(w.any_slot(), entry_of(score, ++w.seq));
    }
}
BENCHMARK(update);

// A sum that grows by little: mostly a move within one leaf at 1M.
void update_by_little(benchmark::State& state) {
    World& w = world();
    for (auto _ : state) {
        const auto slot = w.any_slot();
        const auto before = w.board->entry(slot);
        const auto score = before->scores.units[0] + static_cast<std::int64_t>(w.random() % 20'000);
        w.board->put(slot, entry_of(std::min<std::int64_t>(score, kScoreRange), ++w.seq));
    }
}
BENCHMARK(update_by_little);

void place_of(benchmark::State& state) {
    World& w = world();
    for (auto _ : state) benchmark::DoNotOptimize(w.board->place_of(w.any_slot()));
}
BENCHMARK(place_of);

void rank_of_scores(benchmark::State& state) {
    World& w = world();
    for (auto _ : state) {
        const Scores scores{{static_cast<std::int64_t>(w.random() % kScoreRange)}};
        benchmark::DoNotOptimize(w.board->rank_of_scores(scores));
    }
}
BENCHMARK(rank_of_scores);

void find(benchmark::State& state) {
    World& w = world();
    std::string id = id_of(0);
    for (auto _ : state) {
        std::uint32_t number = w.any_slot().value;
        for (std::size_t i = id.size(); i-- > 7; number /= 10) {
            id[i] = static_cast<char>('0' + number % 10);
        }
        benchmark::DoNotOptimize(w.board->find(id));
    }
}
BENCHMARK(find);

// What a GET of one player asks.
void standing_of_player(benchmark::State& state) {
    World& w = world();
    std::string id = id_of(0);
    for (auto _ : state) {
        std::uint32_t number = w.any_slot().value;
        for (std::size_t i = id.size(); i-- > 7; number /= 10) {
            id[i] = static_cast<char>('0' + number % 10);
        }
        const auto slot = w.board->find(id);
        benchmark::DoNotOptimize(w.board->row(*slot));
    }
}
BENCHMARK(standing_of_player);

void read_ids(const Board& board, const std::vector<Row>& rows) {
    std::size_t sum = 0;
    for (const Row& row : rows) sum += static_cast<unsigned char>(board.player_id(row.slot).back());
    benchmark::DoNotOptimize(sum);
}

void page_of_10(benchmark::State& state) {
    World& w = world();
    std::vector<Row> rows;
    for (auto _ : state) {
        rows.clear();
        w.board->page(w.random() % (player_total() - 10), 10, rows);
        benchmark::DoNotOptimize(rows.data());
    }
}
BENCHMARK(page_of_10);

void page_of_10_with_ids(benchmark::State& state) {
    World& w = world();
    std::vector<Row> rows;
    for (auto _ : state) {
        rows.clear();
        w.board->page(w.random() % (player_total() - 10), 10, rows);
        read_ids(*w.board, rows);
    }
}
BENCHMARK(page_of_10_with_ids);

void top_10_with_ids(benchmark::State& state) {
    World& w = world();
    std::vector<Row> rows;
    for (auto _ : state) {
        rows.clear();
        w.board->page(0, 10, rows);
        read_ids(*w.board, rows);
    }
}
BENCHMARK(top_10_with_ids);

void around_5(benchmark::State& state) {
    World& w = world();
    std::vector<Row> rows;
    for (auto _ : state) {
        rows.clear();
        const std::size_t position = w.board->place_of(w.any_slot())->position.value;
        w.board->page(position > 6 ? position - 6 : 0, 11, rows);
        benchmark::DoNotOptimize(rows.data());
    }
}
BENCHMARK(around_5);

void add_and_drop(benchmark::State& state) {
    World& w = world();
    for (auto _ : state) w.board->drop_player(w.board->add_player("player-of-this-bench"));
}
BENCHMARK(add_and_drop);

// A whole board each time: players and entries, as a start from disk does.
void load_players(benchmark::State& state) {
    for (auto _ : state) {
        Board board(Rules{});
        std::uint32_t next = 0;
        std::string text = id_of(0);
        const auto twice = board.load_players([&](base::PlayerSlot& slot, std::string_view& id) {
            if (next == player_total()) return false;
            std::uint32_t number = next;
            for (std::size_t i = text.size(); i-- > 7; number /= 10) {
                text[i] = static_cast<char>('0' + number % 10);
            }
            slot = {next++};
            id = text;
            return true;
        });
        benchmark::DoNotOptimize(twice);
        benchmark::DoNotOptimize(board.player_count());
    }
    state.counters["ns_a_player"] =
        benchmark::Counter(player_total() * 1e-9, benchmark::Counter::kIsIterationInvariantRate |
                                                      benchmark::Counter::kInvert);
}
BENCHMARK(load_players)->Unit(benchmark::kMillisecond);

void load_entries(benchmark::State& state) {
    for (auto _ : state) {
        Board board(Rules{});
        std::mt19937_64 random(7);
        std::uint32_t next = 0;
        board.load_entries([&](SlotEntry& item) {
            if (next == player_total()) return false;
            item.slot = {next++};
            item.entry = entry_of(static_cast<std::int64_t>(random() % kScoreRange), next);
            return true;
        });
        benchmark::DoNotOptimize(board.size());
    }
    state.counters["ns_an_entry"] =
        benchmark::Counter(player_total() * 1e-9, benchmark::Counter::kIsIterationInvariantRate |
                                                      benchmark::Counter::kInvert);
}
BENCHMARK(load_entries)->Unit(benchmark::kMillisecond);

void memory(benchmark::State& state) {
    World& w = world();
    for (auto _ : state) benchmark::DoNotOptimize(w.board->memory_bytes());
    const auto players = static_cast<double>(player_total());
    state.counters["bytes_a_player"] = static_cast<double>(w.board->memory_bytes()) / players;
    state.counters["heap_a_player"] = static_cast<double>(w.heap_bytes) / players;
    std::vector<Board> boards;
    const std::size_t before = allocated();
    for (int i = 0; i < 1000; ++i) boards.emplace_back(Rules{});
    state.counters["empty_board"] = static_cast<double>(allocated() - before) / 1000;
    std::uint64_t seq = 0;
    for (Board& board : boards) {
        for (std::uint32_t i = 0; i < 10; ++i) {
            board.put(board.add_player(id_of(i)), entry_of(i, ++seq));
        }
    }
    state.counters["board_of_10"] = static_cast<double>(allocated() - before) / 1000;
}
BENCHMARK(memory);

}  // namespace
}  // namespace standings::ranking

BENCHMARK_MAIN();
