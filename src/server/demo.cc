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

namespace standings::server {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::uint16_t kFirstPort = 8420;
constexpr std::uint16_t kPortsToTry = 20;
constexpr auto kLook = std::chrono::milliseconds(1000);
constexpr std::size_t kNameColumns = 28;
constexpr std::size_t kDetailsBytes = 256;  // of a name in the cache, on each board

// Nothing is written anywhere, so entries may be written back early: the events that a restart
// would need, and the memory they take, stay few.
Result<std::unique_ptr<engine::Engine>> start_engine(const DemoSettings& settings,
                                                     const base::Clock& clock) {
    engine::Engine::Options options;
    options.load.write_back = {.dirty = 10'000, .unfolded = 20'000};
    options.load.idempotency_keys = 100'000;
    // All names at once: they come from memory either way.
    options.details_cache_bytes =
        std::max(options.details_cache_bytes, settings.players * demo::kBoards * kDetailsBytes);
    return engine::Engine::start(ledger::MemoryLedger::open(), clock, options);
}

// Where nobody asked for a port, a busy one is no reason to give up.
Result<std::unique_ptr<Front>> start_front(const DemoSettings& settings, const FrontParts& parts,
                                           base::Log& log) {
    FrontSettings front_settings;
    front_settings.log = &log;
    if (!settings.listen.empty()) {
        const auto address = parse_listen(settings.listen);
        if (!address) return address.error().with_context("--listen");
        return Front::start(*address, parts, front_settings);
    }
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
    std::snprintf(rate, sizeof rate, "%g", settings.rate);
    text += "A game with " + std::to_string(settings.players) + " players, " + rate +
            " scores a second, all in memory. Ctrl-C ends it.\n";
    text += "Join it; no key is needed here:\n  " + invitation(url, engine) + "\n\n";
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

// One line a look at most: what concerns the person first.
void tell_until_end(const DemoSettings& settings, engine::Engine& engine,
                    const EndSignals& end_signals, base::Log& log) {
    using std::chrono::steady_clock;
    const auto end = steady_clock::now() + std::chrono::seconds(settings.for_seconds);
    demo::NewsRoom news_room(engine, settings.players);
    while (true) {
        const auto news = news_room.look();
        if (!news.empty()) announce_event(log, demo::tell(news.front(), kNameColumns));
        auto patience = kLook;
        if (settings.for_seconds > 0) {
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
    const auto log = start_log({.format = log_format("auto", STDERR_FILENO)}, clock);
    base::SystemRandom random;
    auto engine = start_engine(settings, clock);
    if (!engine) return engine.error();
    demo::Game game({.players = settings.players, .seed = settings.seed}, clock);
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
    if (settings.open.value_or(terminal) && has_desktop()) open_browser(url + "/");

    demo::Traffic traffic(**engine, game, settings.rate);
    tell_until_end(settings, **engine, end_signals, *log);
    traffic.stop();
    (*front)->stop();
    return {};
}

}  // namespace

void add_demo(cli::CommandLine& line) {
    CLI::App* command = line.app.add_subcommand(
        "demo", "A game with simulated players, in memory: the quickest look at it");
    auto settings = std::make_shared<DemoSettings>();
    command->callback([&line, settings] { line.chosen = [settings] { return demo(*settings); }; });
    command->add_option("--players", settings->players, "How many players the game has")
        ->check(cli::whole_number(2, 5'000'000))
        ->capture_default_str();
    command->add_option("--rate", settings->rate, "Scores a second; 0: none")
        ->check(cli::any_number(0, 50'000))
        ->capture_default_str();
    command->add_option("--seed", settings->seed, "The same seed gives the same game")
        ->check(cli::whole_number(0, UINT64_MAX))
        ->capture_default_str();
    command
        ->add_option("--listen", settings->listen,
                     "Address and port [default: 127.0.0.1:8420, or the next port that is free]")
        ->type_name("ADDRESS");
    CLI::Option* open = command->add_flag_callback(
        "--open", [settings] { settings->open = true; },
        "Open the page in the browser, as it does anyway from a terminal on a desktop");
    command
        ->add_flag_callback(
            "--no-open", [settings] { settings->open = false; }, "Do not open the browser")
        ->excludes(open);
    command->add_option("--for", settings->for_seconds, "Seconds until it ends by itself")
        ->check(cli::whole_number(1, UINT32_MAX));
}

int demo(const DemoSettings& settings) {
    const auto ran = run(settings);
    if (ran) return 0;
    announce_failure(ran.error());
    return exit_code(ran.error().code);
}

}  // namespace standings::server
