#include "server/demo.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "access/credentials.h"
#include "base/clock.h"
#include "base/random.h"
#include "cli/number_range.h"
#include "demo/game.h"
#include "demo/news.h"
#include "demo/traffic.h"
#include "engine/engine.h"
#include "engine/queries.h"
#include "ledger/memory/memory_ledger.h"
#include "server/announce.h"
#include "server/end_signals.h"
#include "server/front.h"
#include "server/log.h"
#include "server/open_browser.h"
#include "server/serve.h"
#include "server/settings.h"
#include "server/version.h"
#include "settings/flags.h"

namespace standings::server {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::uint16_t kFirstPort = 8420;
constexpr std::uint16_t kPortsToTry = 20;
constexpr auto kLook = std::chrono::milliseconds(1000);
constexpr std::size_t kNameColumns = 28;

// Nothing is written anywhere, so entries may be written back early: the events that a restart
// would need, and the memory they take, stay few.
Result<std::unique_ptr<engine::Engine>> start_engine(const DemoSettings& settings,
                                                     const base::Clock& clock, base::Log& log) {
    engine::Engine::Options options = settings.engine;
    options.load.write_back = {.dirty = 10'000, .unfolded = 20'000};
    options.committer.log = &log;
    return engine::Engine::start(ledger::MemoryLedger::open(), clock, options);
}

// Where nobody asked for a port, a busy one is no reason to give up.
Result<std::unique_ptr<Front>> start_front(const DemoSettings& settings, const FrontParts& parts,
                                           base::Log& log) {
    FrontSettings front_settings = settings.front;
    front_settings.log = &log;
    if (settings.listen) return Front::start(*settings.listen, parts, front_settings);
    for (std::uint16_t port = kFirstPort;; ++port) {
        auto front = Front::start({"127.0.0.1", port}, parts, front_settings);
        const bool busy = !front && front.error().code == ErrorCode::kBusy;
        if (!busy || port + 1 == kFirstPort + kPortsToTry) {
            if (front && port != kFirstPort) {
                log.write(base::LogLevel::kWarning, "port " + std::to_string(kFirstPort) +
                                                        " is in use; this demo is on " +
                                                        std::to_string(port));
            }
            return front;
        }
    }
}

// A time that is about third as the board stands now.
std::string inviting_score(const engine::HostedBoard& board) {
    engine::Page page;
    engine::read_offset(board, 0, 3, page);
    std::string score;
    if (page.rows.size() < 3) return "60";
    const std::int64_t second = page.rows[1].scores.units[0];
    const std::int64_t third = page.rows[2].scores.units[0];
    ranking::append_units(score, second + (third - second) / 2,
                          page.config->rules.columns[0].decimals);
    return score;
}

std::string invitation(const std::string& url, engine::Engine& engine) {
    const std::string& slug = demo::game_boards()[0].slug;
    const auto board = engine.registry().find(slug);
    return "curl " + url + "/v1/boards/" + slug + R"(/submissions --json '{"player":")" +
           std::string(demo::kYou) + R"(","name":"You","score":)" + inviting_score(*board) + "}'";
}

std::string padded(std::string text, std::size_t size) {
    text.resize(std::max(size, text.size()), ' ');
    return text;
}

void greet_person(const DemoSettings& settings, const std::string& url, engine::Engine& engine) {
    std::string text = "Standings " + std::string(kVersion) + " demo  " + url + "\n";
    for (const demo::GameBoard& plan : demo::game_boards()) {
        const std::size_t total = engine.registry().find(plan.slug)->read(
            [](const engine::HostedBoard::View& view) { return view.board.size(); });
        text += "├─ " + padded(plan.slug, 10) + url + "/b/" + padded(plan.slug, 10) +
                std::to_string(total) + " players\n";
    }
    text += "└─ " + padded("API", 10) + url + "/v1/boards\n\n";
    char rate[32];
    std::snprintf(rate, sizeof rate, "%g", settings.game.rate);
    text += "A game with " + std::to_string(settings.game.players) + " players, " + rate +
            " scores a second, all in memory. Ctrl-C ends it.\n";
    text += "Join it; no key is needed here:\n  " + invitation(url, engine) + "\n\n";
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

// One line a look at most: what concerns the person first.
void tell_until_end(const DemoGame& game, engine::Engine& engine, const EndSignals& end_signals,
                    base::Log& log) {
    using std::chrono::steady_clock;
    const auto end = steady_clock::now() + game.length;
    demo::NewsRoom news_room(engine, game.players);
    while (true) {
        const auto news = news_room.look();
        if (!news.empty()) announce_event(log, demo::tell(news.front(), kNameColumns));
        auto patience = kLook;
        if (game.length.count() > 0) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(end - steady_clock::now());
            if (left.count() <= 0) return;
            patience = std::min(patience, left);
        }
        if (const auto signal = end_signals.wait_for(patience)) return announce_stop(log, *signal);
    }
}

Result<void> run(const DemoSettings& settings) {
    const auto started = std::chrono::steady_clock::now();
    const EndSignals end_signals;
    const base::SystemClock clock;
    const auto log = start_log(settings.log, clock);
    announce_warnings(*log, settings.warnings);
    base::SystemRandom random;
    auto engine = start_engine(settings, clock, *log);
    if (!engine) return engine.error();
    demo::Game game({.players = settings.game.players, .seed = settings.game.seed}, clock);
    if (const auto opened = demo::open_game(**engine, game); !opened) return opened.error();

    const auto credentials = access::Credentials::open_to_all();
    jobs::JobList jobs(clock);
    auto front = start_front(settings, {**engine, credentials, random, jobs}, *log);
    if (!front) return front.error();
    const std::string& url = (*front)->url();
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    if (terminal) {
        greet_person(settings, url, **engine);
    } else {
        announce_start(*log, {.url = url,
                              .data = "memory",
                              .boards = (*engine)->registry().size(),
                              .players = (*engine)->statistics().players.load(),
                              .took = std::chrono::duration_cast<std::chrono::milliseconds>(
                                  std::chrono::steady_clock::now() - started),
                              .made_key = {},
                              .key_file = {}});
        announce_event(*log, "join with: " + invitation(url, **engine));
    }
    if (settings.listen && !is_loopback(*settings.listen)) {
        log->write(base::LogLevel::kWarning,
                   "the demo listens beyond this machine: whoever reaches " +
                       settings.listen->host + " may submit, without a key");
    }
    if (settings.open.value_or(terminal) && has_desktop()) open_browser(url + "/");

    demo::Traffic traffic(**engine, game, settings.game.rate);
    tell_until_end(settings.game, **engine, end_signals, *log);
    traffic.stop();
    (*front)->stop();
    return {};
}

// What the command line says.
struct Choice {
    settings::Flags flags;
    DemoGame game;
    bool no_open = false;
};

Result<void> settle_and_run(const Choice& choice) {
    const auto values = choice.flags.settle();
    if (!values) return values.error();
    auto settings = demo_settings(*values, choice.game);
    if (!settings) return settings.error();
    if (choice.no_open) settings->open = false;
    return run(*settings);
}

int demo(const Choice& choice) {
    const auto ran = settle_and_run(choice);
    if (ran) return 0;
    announce_failure(ran.error());
    return exit_code(ran.error().code);
}

// Written as a time in the settings is; a number alone is in seconds.
Result<std::chrono::milliseconds> parse_length(const std::string& text) {
    constexpr settings::Setting kLength = {
        .key = "",
        .flag = "--for",
        .environment = "",
        .type = settings::Type::kDuration,
        .fallback = "",
        .help = "",
        .commands = settings::kDemo,
        .least = settings::kSecond,
        .most = 36'500 * settings::kDay,
    };
    const bool is_number = text.find_first_not_of("0123456789") == std::string::npos;
    const auto value = settings::parse_value(kLength, is_number ? text + 's' : text);
    if (!value) {
        return Error{ErrorCode::kSettings,
                     "it is a number of seconds, or a time from 1s to "
                     "36500d, like 90s, 10m or 2h, not '" +
                         text + "'"};
    }
    return std::chrono::milliseconds(value->number);
}

void add_game_flags(CLI::App& command, DemoGame& game) {
    command.add_option("--players", game.players, "How many players the game has")
        ->check(cli::whole_number(2, 5'000'000))
        ->capture_default_str();
    command.add_option("--rate", game.rate, "Scores a second; 0: none")
        ->check(cli::any_number(0, 50'000))
        ->capture_default_str();
    command.add_option("--seed", game.seed, "The same seed gives the same game")
        ->check(cli::whole_number(0, UINT64_MAX))
        ->capture_default_str();
    command
        .add_option_function<std::string>(
            "--for", [&game](const std::string& text) { game.length = *parse_length(text); },
            "Time until it ends by itself: 90s, 10m, or a number of seconds")
        ->check(CLI::Validator(
            [](const std::string& text) {
                const auto length = parse_length(text);
                return length ? std::string() : length.error().detail;
            },
            ""))
        ->type_name("TIME");
}

}  // namespace

void add_demo(cli::CommandLine& line) {
    CLI::App* command = line.app.add_subcommand(
        "demo", "A game with simulated players, in memory: the quickest look at it");
    auto choice = std::make_shared<Choice>();
    command->callback([&line, choice] { line.chosen = [choice] { return demo(*choice); }; });
    add_game_flags(*command, choice->game);
    CLI::Option* no_open =
        command->add_flag("--no-open", choice->no_open, "Do not open the browser");
    choice->flags.add_to(*command, settings::kDemo);
    // Where nothing is said of these two, the demo does not do what the table says.
    command->get_option("--listen")
        ->description(
            "Address and port; port 0 takes a free one. [default: 127.0.0.1:8420, or "
            "the next port that is free; STANDINGS_LISTEN]");
    command->get_option("--open")
        ->description(
            "Open the page in the browser, as it does anyway from a terminal on a "
            "desktop. [STANDINGS_OPEN]")
        ->excludes(no_open);
}

}  // namespace standings::server
