#include "server/announce.h"

#include <string.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/clock.h"
#include "cli/progress_line.h"
#include "cli/terminal.h"
#include "server/log.h"
#include "server/version.h"

namespace standings::server {
namespace {

using cli::counted;

bool on_terminal(int file) {
    return isatty(file) == 1;
}

void announce_to_person(const StartNotice& notice) {
    std::string text = "Standings " + std::string(kVersion) + "  " + notice.url + "\n";
    text += "├─ page      " + notice.url + "/\n";
    text += "├─ API       " + notice.url + "/v1/boards\n";
    text += "├─ metrics   " + notice.url + "/metrics\n";
    text += "└─ data      " + notice.data + " (" + counted(notice.boards, "board", "boards") +
            ", " + counted(notice.players, "player", "players") + ", ready in " +
            std::to_string(notice.took.count()) + " ms)\n";
    if (notice.made_key) {
        text += "\nYour key, shown this once" +
                (notice.key_file.empty() ? "" : "; " + notice.key_file + " goes away now") +
                ":\n  " + *notice.made_key + "\n";
        text += "When it is lost, a start with a new one in STANDINGS_INIT_KEY replaces it.\n";
        text +=
            "Make a board with it:\n  curl --json '{\"id\":\"demo\"}' -H 'Authorization: Bearer " +
            *notice.made_key + "' " + notice.url + "/v1/boards\n";
    }
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace

void announce_start(base::Log& log, const StartNotice& notice) {
    if (on_terminal(STDOUT_FILENO)) return announce_to_person(notice);
    std::vector<base::LogField> fields = {
        {"url", notice.url},       {"version", kVersion},       {"data", notice.data},
        {"boards", notice.boards}, {"players", notice.players}, {"took_ms", notice.took.count()},
        {"pid", ::getpid()}};
    if (!notice.key_file.empty()) fields.emplace_back("key_file", notice.key_file);
    log.write(base::LogLevel::kInfo, "listening", fields);
}

void announce_stop(base::Log& log, int signal) {
    log.write(base::LogLevel::kInfo, "stopping",
              {{"signal", std::string("SIG") + ::sigabbrev_np(signal)}});
}

void announce_warnings(base::Log& log, const std::vector<std::string>& warnings) {
    for (const std::string& warning : warnings) log.write(base::LogLevel::kWarning, warning);
}

void announce_event(base::Log& log, const std::string& event) {
    if (!on_terminal(STDOUT_FILENO)) return log.write(base::LogLevel::kInfo, event);
    std::fputs((event + '\n').c_str(), stdout);
    std::fflush(stdout);
}

void announce_failure(const base::Error& error) {
    const bool is_for_person = error.code == base::ErrorCode::kSettings;
    if (is_for_person || on_terminal(STDERR_FILENO)) return cli::complain(error.detail);
    const std::string text = log_line(LogFormat::kJson, base::SystemClock().now(),
                                      base::LogLevel::kError, error.detail, {});
    std::fputs((text + '\n').c_str(), stderr);
}

}  // namespace standings::server
