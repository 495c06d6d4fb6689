#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "ranking/board_harness.h"

namespace standings::ranking {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

volatile std::uint64_t running_seed = 0;

// A failed CHECK aborts; this line is all that a person needs to see it again.
extern "C" void say_seed(int) {
    std::fprintf(stderr, "To repeat: STANDINGS_SEED=%llu ranking_test\n",
                 static_cast<unsigned long long>(running_seed));
}

void run_seed(std::uint64_t seed) {
    running_seed = seed;
    board_agrees_with_model(Choices::from_seed(seed, 4000));
}

TEST(BoardProperty, AgreesWithTheModelOnEverySeed) {
    const auto before = std::signal(SIGABRT, say_seed);
    if (std::getenv("STANDINGS_SEED") != nullptr) {
        run_seed(number_from("STANDINGS_SEED", 0));
    } else {
        const std::uint64_t first = std::random_device()() * std::uint64_t{1'000'000};
        const std::uint64_t runs = 150 * number_from("STANDINGS_TEST_SCALE", 1);
        std::printf("Seeds from %llu on.\n", static_cast<unsigned long long>(first));
        for (std::uint64_t i = 0; i < runs; ++i) run_seed(first + i);
    }
    std::signal(SIGABRT, before);
}

TEST(BoardProperty, TakesItsChoicesFromBytesToo) {
    std::mt19937_64 random(1);
    for (std::size_t size : {0U, 1U, 7U, 300U, 5000U}) {
        std::vector<std::uint8_t> bytes(size);
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
        board_agrees_with_model(Choices::from_bytes(bytes));
    }
}

// Every sequence of `length` operations, as the digits of a number.
class SmallWorld {
  public:
    SmallWorld(Rule rule, Ties ties, std::size_t players, std::size_t scores)
        : rules_{.rule = rule, .ties = ties}, players_(players), scores_(scores) {}

    // Submit each score, remove, and forget, for each player.
    std::size_t operations() const { return players_ * (scores_ + 2); }

    void run_all(std::size_t length) const {
        std::vector<std::size_t> sequence(length, 0);
        std::size_t changed = 0;  // the first operation that differs from the last sequence
        do {
            run(sequence, changed);
        } while (advance(sequence, changed));
    }

  private:
    bool advance(std::vector<std::size_t>& sequence, std::size_t& changed) const {
        for (changed = sequence.size(); changed-- > 0;) {
            if (++sequence[changed] < operations()) return true;
            sequence[changed] = 0;
        }
        return false;
    }

    // States before `first_new` were compared by an earlier sequence.
    void run(const std::vector<std::size_t>& sequence, std::size_t first_new) const {
        BoardHarness boards(rules_, 1, {.nodes = NodeSize::kTiny});
        Choices choices = Choices::from_seed(1, 0);
        for (std::size_t i = 0; i < sequence.size(); ++i) {
            const std::string player(1, static_cast<char>('a' + sequence[i] % players_));
            const std::size_t what = sequence[i] / players_;
            if (what < scores_) {
                Submission submission;
                submission.scores.units[0] = static_cast<std::int64_t>(what);
                boards.submit(player, submission, 0);
            } else if (what == scores_) {
                boards.remove(player, 0);
            } else {
                boards.drop(player);
            }
            if (i >= first_new) boards.compare_all(choices);
        }
    }

    Rules rules_;
    std::size_t players_;
    std::size_t scores_;
};

TEST(BoardExhaustive, EverySequenceOfSixOperationsOfTwoPlayers) {
    SmallWorld(Rule::kLast, Ties::kShared, 2, 2).run_all(6);
}

TEST(BoardExhaustive, EverySequenceOfFourOperationsOfThreePlayersUnderEveryRule) {
    for (const Rule rule : {Rule::kBest, Rule::kLast, Rule::kSum, Rule::kFirst}) {
        for (const Ties ties : {Ties::kShared, Ties::kEarliest}) {
            SmallWorld(rule, ties, 3, 2).run_all(4);
        }
    }
}

}  // namespace
}  // namespace standings::ranking
