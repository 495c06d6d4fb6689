// A believable game: players of differing skill and habit who meet in matches and run against the
// clock. It knows no socket and no engine; what it yields is what a game server would submit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "demo/chance.h"
#include "demo/names.h"
#include "ledger/records.h"
#include "ranking/score.h"

namespace standings::demo {

// The boards, as indices into game_boards().
enum class BoardName : std::uint8_t {
    kSpeedrun,  // best time over the course, in seconds with 3 decimals
    kSeason,    // points, goal difference and goals of all matches, summed up
    kRating,    // the last rating after each match
};
inline constexpr std::size_t kBoards = 3;

struct GameBoard {
    std::string slug;
    ledger::BoardConfig config;
};
const std::array<GameBoard, kBoards>& game_boards();

using PlayerNumber = std::uint32_t;

// "p_00042", and back; a player that is not of the game has no such id or a number beyond it.
std::string player_id(PlayerNumber player);
bool is_player_id(std::string_view id, std::size_t players);

struct GameSubmission {
    BoardName board;
    PlayerNumber player;
    ranking::Scores scores;
    bool first = false;  // the player is new on this board: the name goes along
};

struct GameOptions {
    std::size_t players = 50'000;
    std::uint64_t seed = 1;
};

// Who plays how often: the player on place k (from 0) of the order of habit has a weight of
// 1 / (k + kHabitOffset): Zipf's law, flattened at its head so that no single player is everywhere.
inline constexpr double kHabitOffset = 20.0;

// Promise: the same options and the same readings of the clock give the same submissions in the
// same order; opening() does not look at the clock at all. Memory: ~100 bytes a player, however
// long it runs. One thread.
//
// The clock counts for one thing only: a day of the game lasts kDay, and each region plays in its
// evening, so that the crowd changes while one looks on.
class Game {
  public:
    static constexpr std::chrono::minutes kDay{12};

    // `clock` outlives the game.
    Game(const GameOptions& options, const base::Clock& clock);

    // What happened before anybody looked: for each board the submissions, one a player, that make
    // its standings at the start.
    std::vector<GameSubmission> opening(BoardName board) const;
    // The next thing that somebody reached.
    GameSubmission next();

    std::size_t size() const { return players_.size(); }
    const std::string& name(PlayerNumber player) const { return players_[player].name; }
    // How many are in the game at the moment.
    std::size_t online() const { return online_.size(); }

  private:
    struct Player {
        std::string name;
        Script script;
        float skill;         // mean 0, deviation 1; the same on the pitch and on the course
        float rating;        // Elo
        std::uint32_t runs;  // over the course, each of which teaches something
        // The season before the start.
        std::uint32_t points, goals;
        std::int32_t goal_difference;
        std::int64_t best_ms;  // 0: has not run the course yet
    };
    struct Session {
        PlayerNumber player;
        std::uint32_t rounds_left;
        float form;  // of this evening, on top of the skill
    };

    void make_player(Script script);
    void play_history(Player& player, double habit);
    std::int64_t run_course(const Player& player, double form);

    void come_and_go();
    Session& someone_online();
    bool is_awake(const Player& player);
    void play_match();
    void play_course();

    const base::Clock& clock_;
    const base::Monotonic started_;
    Chance chance_;
    std::vector<Player> players_;
    std::vector<double> habit_;  // running sums of the weights, by player
    std::vector<Session> online_;
    std::vector<bool> is_online_;
    std::uint64_t runs_ = 0;              // of all players over the course since the start
    std::deque<GameSubmission> reached_;  // of the round that was played last
};

}  // namespace standings::demo
