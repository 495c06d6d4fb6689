#include "demo/game.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/check.h"

namespace standings::demo {
namespace {

using ranking::Column;
using ranking::Order;
using ranking::Rule;
using ranking::Ties;

constexpr std::string_view kIdPrefix = "p_";
constexpr int kIdDigits = 5;

// The course: nobody is faster than the floor; the average player needs floor + spread.
constexpr double kCourseFloorMs = 58'000;
constexpr double kCourseSpreadMs = 30'000;
constexpr double kCoursePlayers = 0.6;  // the share that has run it before the start
constexpr double kLearning = 0.35;      // skill gained whenever the count of runs grows e-fold
// Whatever one finds out is soon known to all: records fall for as long as people run.
constexpr double kRoutes = 0.25;
constexpr double kRunsForRoutes = 800;

constexpr double kGoals = 1.4;  // of one side in a match
constexpr double kGoalsPerSkill = 0.28;
constexpr double kMeanRating = 1500;
constexpr double kRatingPerSkill = 130;
constexpr double kMatchesToSettle = 10;
constexpr double kEloStep = 40;

constexpr double kMatchesBefore = 0.7;  // on average, beyond the first one
constexpr std::size_t kOneInOnline = 400;
constexpr std::size_t kFewestOnline = 8;
constexpr double kRounds = 12;  // of a session
constexpr double kMatchShare = 0.4;

std::array<GameBoard, kBoards> make_boards() {
    std::array<GameBoard, kBoards> boards;
    GameBoard& speedrun = boards[static_cast<std::size_t>(BoardName::kSpeedrun)];
    speedrun.slug = "speedrun";
    speedrun.config.title = "Speedrun: the long course";
    speedrun.config.rules = {Rule::kBest, Ties::kEarliest, {Column{"score", Order::kAscending, 3}}};
    speedrun.config.limits[0].min = 0;

    GameBoard& season = boards[static_cast<std::size_t>(BoardName::kSeason)];
    season.slug = "season";
    season.config.title = "Season 12";
    season.config.rules = {
        Rule::kSum,
        Ties::kShared,
        {Column{"points", Order::kDescending, 0}, Column{"goal_difference", Order::kDescending, 0},
         Column{"goals_for", Order::kDescending, 0}}};

    GameBoard& rating = boards[static_cast<std::size_t>(BoardName::kRating)];
    rating.slug = "rating";
    rating.config.title = "Rating";
    rating.config.rules = {Rule::kLast, Ties::kShared, {Column{"score", Order::kDescending, 0}}};
    return boards;
}

int points_for(int own, int other) {
    if (own > other) return 3;
    return own == other ? 1 : 0;
}

double expected_goals(double advantage) {
    return kGoals * std::exp(std::clamp(kGoalsPerSkill * advantage, -1.5, 1.5));
}

}  // namespace

const std::array<GameBoard, kBoards>& game_boards() {
    static const std::array<GameBoard, kBoards> boards = make_boards();
    return boards;
}

std::string player_id(PlayerNumber player) {
    const std::string digits = std::to_string(player);
    std::string id(kIdPrefix);
    if (digits.size() < kIdDigits) id.append(kIdDigits - digits.size(), '0');
    return id + digits;
}

bool is_player_id(std::string_view id, std::size_t players) {
    if (!id.starts_with(kIdPrefix)) return false;
    PlayerNumber player = 0;
    const char* end = id.data() + id.size();
    const auto [at, failure] = std::from_chars(id.data() + kIdPrefix.size(), end, player);
    return failure == std::errc{} && at == end && player < players && player_id(player) == id;
}

// --- before the start -----------------------------------------------------------------------

Game::Game(const GameOptions& options, const base::Clock& clock)
    : clock_(clock), started_(clock.monotonic()), chance_(options.seed) {
    CHECK(options.players > 1);
    const std::size_t count = options.players;
    players_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        double share = chance_.unit();
        Script script = namings().back().script;
        for (const Naming& naming : namings()) {
            script = naming.script;
            share -= naming.share;
            if (share < 0) break;
        }
        make_player(script);
    }

    // Habit has nothing to do with the number of a player.
    std::vector<PlayerNumber> by_habit(count);
    std::iota(by_habit.begin(), by_habit.end(), PlayerNumber{0});
    for (std::size_t i = count - 1; i > 0; --i)
        std::swap(by_habit[i], by_habit[chance_.below(i + 1)]);
    habit_.resize(count);
    for (std::size_t k = 0; k < count; ++k) {
        habit_[by_habit[k]] = 1.0 / (static_cast<double>(k) + kHabitOffset);
    }
    const double all = std::accumulate(habit_.begin(), habit_.end(), 0.0);
    const double average = all / static_cast<double>(count);
    for (std::size_t i = 0; i < count; ++i) play_history(players_[i], habit_[i] / average);
    std::partial_sum(habit_.begin(), habit_.end(), habit_.begin());
    is_online_.resize(count);
}

void Game::make_player(Script script) {
    Player player{};
    player.name = make_name(script, chance_);
    player.script = script;
    player.skill = static_cast<float>(chance_.normal());
    player.rating =
        static_cast<float>(kMeanRating + kRatingPerSkill * player.skill + 60 * chance_.normal());
    players_.push_back(std::move(player));
}

void Game::play_history(Player& player, double habit) {
    const double more = kMatchesBefore * habit * chance_.between(0.7, 1.3);
    const int matches = 1 + static_cast<int>(more + chance_.unit());
    for (int i = 0; i < matches; ++i) {
        const int own = chance_.poisson(expected_goals(player.skill));
        const int other = chance_.poisson(expected_goals(-player.skill));
        player.points += static_cast<std::uint32_t>(points_for(own, other));
        player.goals += static_cast<std::uint32_t>(own);
        player.goal_difference += own - other;
    }
    // A rating starts in the middle and finds its place with the matches.
    const double settled = 1 - std::exp(-matches / kMatchesToSettle);
    const double found = kRatingPerSkill * player.skill + 60 * chance_.normal();
    player.rating = static_cast<float>(kMeanRating + settled * found);
    if (!chance_.happens(kCoursePlayers)) return;
    for (int i = 0; i < matches; ++i) {
        const std::int64_t ms = run_course(player, 0);
        ++player.runs;
        if (player.best_ms == 0 || ms < player.best_ms) player.best_ms = ms;
    }
}

std::vector<GameSubmission> Game::opening(BoardName board) const {
    std::vector<GameSubmission> all;
    all.reserve(players_.size());
    for (PlayerNumber number = 0; number < players_.size(); ++number) {
        const Player& player = players_[number];
        GameSubmission submission{board, number, {}, true};
        auto& units = submission.scores.units;
        switch (board) {
            case BoardName::kSpeedrun:
                if (player.best_ms == 0) continue;
                units[0] = player.best_ms;
                break;
            case BoardName::kSeason:
                units = {player.points, player.goal_difference, player.goals, 0};
                break;
            case BoardName::kRating:
                units[0] = std::lround(player.rating);
                break;
        }
        all.push_back(submission);
    }
    return all;
}

// --- live -----------------------------------------------------------------------------------

GameSubmission Game::next() {
    while (reached_.empty()) {
        come_and_go();
        if (chance_.happens(kMatchShare)) {
            play_match();
        } else {
            play_course();
        }
    }
    const GameSubmission submission = reached_.front();
    reached_.pop_front();
    return submission;
}

bool Game::is_awake(const Player& player) {
    constexpr double kHours = 24;
    const std::chrono::duration<double> running = clock_.monotonic() - started_;
    const double days = running / std::chrono::duration<double>(kDay);
    const double now = 18 + kHours * days;
    const double off = now - namings()[static_cast<std::size_t>(player.script)].evening;
    // 1 in the evening, little in the early morning, never nobody.
    const double light = 0.5 + 0.5 * std::cos(2 * std::numbers::pi * off / kHours);
    return chance_.happens(0.08 + 0.92 * light * light);
}

void Game::come_and_go() {
    std::erase_if(online_, [this](const Session& session) {
        if (session.rounds_left > 0) return false;
        is_online_[session.player] = false;
        return true;
    });
    const std::size_t wanted =
        std::min(players_.size() / 2, std::max(kFewestOnline, players_.size() / kOneInOnline));
    // A bound for tiny games, in which most who are awake are online already.
    for (int tries = 0; online_.size() < std::max<std::size_t>(wanted, 2) && tries < 10'000;
         ++tries) {
        const double at = chance_.unit() * habit_.back();
        const auto found = std::upper_bound(habit_.begin(), habit_.end(), at);
        const auto index = static_cast<std::size_t>(found - habit_.begin());
        const auto number = static_cast<PlayerNumber>(std::min(index, players_.size() - 1));
        if (is_online_[number] || !is_awake(players_[number])) continue;
        is_online_[number] = true;
        online_.push_back({number, 1 + static_cast<std::uint32_t>(kRounds * chance_.exponential()),
                           static_cast<float>(0.4 * chance_.normal())});
    }
}

Game::Session& Game::someone_online() {
    return online_[chance_.below(online_.size())];
}

std::int64_t Game::run_course(const Player& player, double form) {
    const double learnt = kLearning * std::log1p(player.runs);
    const double known = kRoutes * std::log1p(static_cast<double>(runs_) / kRunsForRoutes);
    const double skill = player.skill + form + learnt + known;
    const double over =
        kCourseSpreadMs * std::exp(-0.5 * skill) * (1 + 0.3 * chance_.exponential());
    return std::llround(kCourseFloorMs + over);
}

void Game::play_course() {
    Session& session = someone_online();
    if (session.rounds_left > 0) --session.rounds_left;
    Player& player = players_[session.player];
    GameSubmission run{BoardName::kSpeedrun, session.player, {}, player.best_ms == 0};
    const std::int64_t ms = run_course(player, session.form);
    run.scores.units[0] = ms;
    ++player.runs;
    ++runs_;
    player.best_ms = player.best_ms == 0 ? ms : std::min(ms, player.best_ms);
    reached_.push_back(run);
}

void Game::play_match() {
    Session& home = someone_online();
    Session* away = &someone_online();
    while (away == &home) away = &someone_online();

    std::array<Player*, 2> sides{&players_[home.player], &players_[away->player]};
    const double advantage = sides[0]->skill + home.form - sides[1]->skill - away->form;
    const std::array<int, 2> goals{chance_.poisson(expected_goals(advantage)),
                                   chance_.poisson(expected_goals(-advantage))};
    const double expected = 1 / (1 + std::pow(10.0, (sides[1]->rating - sides[0]->rating) / 400.0));
    const double won = goals[0] == goals[1] ? 0.5 : (goals[0] > goals[1] ? 1.0 : 0.0);
    const auto moved = static_cast<float>(kEloStep * (won - expected));
    sides[0]->rating += moved;
    sides[1]->rating -= moved;

    const std::array<Session*, 2> sessions{&home, away};
    for (std::size_t side = 0; side < 2; ++side) {
        if (sessions[side]->rounds_left > 0) --sessions[side]->rounds_left;
        const PlayerNumber number = sessions[side]->player;
        const int own = goals[side];
        const int other = goals[1 - side];
        reached_.push_back(
            {BoardName::kSeason, number, {{points_for(own, other), own - other, own, 0}}});
        reached_.push_back({BoardName::kRating, number, {{std::lround(sides[side]->rating)}}});
    }
}

}  // namespace standings::demo
