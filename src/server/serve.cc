#include "server/serve.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "engine/engine.h"
#include "jobs/backups.h"
#include "jobs/job_list.h"
#include "ledger/sqlite/sqlite_ledger.h"
#include "server/announce.h"
#include "server/damage_advice.h"
#include "server/data_folder.h"
#include "server/end_signals.h"
#include "server/front.h"
#include "server/log.h"
#include "server/open_browser.h"
#include "server/secret_key.h"
#include "server/settings.h"
#include "server/version.h"

namespace standings::server {
namespace {

using base::ErrorCode;
using base::Result;

Result<std::unique_ptr<engine::Engine>> start_engine(const ServeSettings& settings,
                                                     const DataFolder& folder,
                                                     const base::Clock& clock, base::Random& random,
                                                     base::Log& log) {
    ledger::SqliteOptions options = settings.ledger;
    options.folder = folder.path();
    options.random = &random;
    auto ledger = ledger::SqliteLedger::open(options);
    if (!ledger) {
        return ledger.error().with_context("open the database in '" + folder.path() + "'");
    }
    for (const std::string& note : (*ledger)->notes()) {
        log.write(base::LogLevel::kWarning, note);
    }
    engine::Engine::Options engine_options = settings.engine;
    engine_options.spool_folder = folder.path();
    engine_options.committer.log = &log;
    // The control of the crash tests: with it, they must find lost scores.
    engine_options.committer.answer_before_commit =
        std::getenv("STANDINGS_TEST_ANSWER_BEFORE_COMMIT") != nullptr;
    if (engine_options.committer.answer_before_commit) {
        log.write(base::LogLevel::kWarning,
                  "STANDINGS_TEST_ANSWER_BEFORE_COMMIT is set: scores are answered before they are "
                  "kept, and a crash loses them");
    }
    auto engine = engine::Engine::start(std::move(*ledger), clock, engine_options);
    return engine;
}

Result<void> run(const ServeSettings& settings) {
    const auto started = std::chrono::steady_clock::now();
    const EndSignals end_signals;
    const base::SystemClock clock;
    const auto log = start_log(settings.log, clock);
    std::error_code ignored;
    announce_warnings(*log, settings.warnings);
    // A start that cannot listen leaves no new folder behind. One that was served before has a
    // lock, which names the server that runs on it, if one does: the better answer.
    if (!std::filesystem::exists(settings.data + "/lock", ignored)) {
        if (auto free = Front::check_address(settings.listen); !free) return free;
    }
    auto folder = DataFolder::open(settings.data);
    if (!folder) return folder.error();

    if (const std::string open_to = folder->who_else_reads(); !open_to.empty()) {
        log->write(base::LogLevel::kWarning, open_to);
    }

    base::SystemRandom random;
    auto key = settle_secret_key(*folder, settings.initial_key, random);
    if (!key) return key.error();
    auto engine = start_engine(settings, *folder, clock, random, *log);
    if (!engine) return with_advice(engine.error(), folder->path());

    jobs::JobList jobs(clock);
    jobs::BackupOptions backup_options = settings.backup;
    backup_options.log = log.get();
    if (backup_options.folder.empty()) backup_options.folder = folder->file("backups");
    auto backups = jobs::Backups::open(**engine, jobs, backup_options, kVersion);
    if (!backups) return backups.error();

    FrontSettings front_settings = settings.front;
    front_settings.log = log.get();
    auto front =
        Front::start(settings.listen, {**engine, key->credentials, random, jobs, backups->get()},
                     front_settings);
    if (!front) return front.error();
    const std::string& url = (*front)->url();
    folder->note_address(url);
    announce_start(*log, {.url = url,
                          .data = folder->path(),
                          .boards = (*engine)->registry().size(),
                          .players = (*engine)->statistics().players.load(),
                          .took = std::chrono::duration_cast<std::chrono::milliseconds>(
                              std::chrono::steady_clock::now() - started),
                          .made_key = key->made,
                          .key_file = key->written_to});
    if (isatty(STDOUT_FILENO) == 1 && !forget_initial_key(*key)) {
        log->write(base::LogLevel::kWarning, key->written_to + " cannot be removed: remove it");
    }

    if (settings.open && has_desktop()) open_browser(url + '/');

    announce_stop(*log, end_signals.wait());
    const auto told = std::chrono::steady_clock::now();
    (*front)->stop();
    log->write(base::LogLevel::kInfo, "stopped",
               {{"took_ms", std::chrono::duration_cast<std::chrono::milliseconds>(
                                std::chrono::steady_clock::now() - told)
                                .count()}});
    return {};
}

}  // namespace

int exit_code(ErrorCode code) {
    switch (code) {
        case ErrorCode::kSettings:
            return 2;
        case ErrorCode::kBusy:
            return 3;
        case ErrorCode::kSchema:
            return 4;
        case ErrorCode::kIntegrity:
            return 5;
        default:
            return 1;
    }
}

int serve(const settings::Flags& flags) {
    const auto fail = [](const base::Error& error) {
        announce_failure(error);
        return exit_code(error.code);
    };
    const auto values = flags.settle();
    if (!values) return fail(values.error());
    const auto chosen = serve_settings(*values);
    if (!chosen) return fail(chosen.error());
    return serve(*chosen);
}

std::vector<std::string> check_start(const settings::Values& values) {
    return refused_by_start(values);
}

int serve(const ServeSettings& settings) {
    const auto ran = run(settings);
    if (ran) return 0;
    announce_failure(ran.error());
    return exit_code(ran.error().code);
}

}  // namespace standings::server
