#include "server/announce.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "base/clock.h"
#include "server/version.h"
#include "text/json_writer.h"

namespace standings::server {
namespace {

bool on_terminal(int file) {
    return isatty(file) == 1;
}

// {"time":...,"level":...,"message":... and what follows.
std::string log_line(std::string_view level, std::string_view message) {
    std::string line = "{";
    text::append_member(line, "time", base::rfc3339(base::SystemClock().now()));
    line += ',';
    text::append_member(line, "level", level);
    line += ',';
    text::append_member(line, "message", message);
    return line;
}

void write_line(std::FILE* file, const std::string& line) {
    std::fputs((line + "\n").c_str(), file);
    std::fflush(file);
}

void announce_to_person(const StartNotice& notice) {
    std::string text = "Standings " + std::string(kVersion) + "  " + notice.url + "\n";
    text += "├─ page      " + notice.url + "/\n";
    text += "├─ API       " + notice.url + "/v1/boards\n";
    text += "├─ metrics   " + notice.url + "/metrics\n";
    text += "└─ data      " + notice.data + " (" + std::to_string(notice.boards) + " boards, " +
            std::to_string(notice.players) + " players, ready in " +
            std::to_string(notice.took.count()) + " ms)\n";
    if (notice.made_key) {
        text += "\nYour key, shown this once:\n  " + *notice.made_key + "\n";
        text +=
            "Make a board with it:\n  curl --json '{\"id\":\"demo\"}' -H 'Authorization: Bearer " +
            *notice.made_key + "' " + notice.url + "/v1/boards\n";
    }
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace

void announce_start(const StartNotice& notice) {
    if (on_terminal(STDOUT_FILENO)) return announce_to_person(notice);
    std::string line = log_line("info", "listening");
    line += ',';
    text::append_member(line, "url", notice.url);
    line += ',';
    text::append_member(line, "version", kVersion);
    line += ',';
    text::append_member(line, "data", notice.data);
    line += ",\"boards\":";
    text::append_number(line, notice.boards);
    line += ",\"players\":";
    text::append_number(line, notice.players);
    line += ",\"took_ms\":";
    text::append_number(line, notice.took.count());
    if (!notice.key_file.empty()) {
        line += ',';
        text::append_member(line, "key_file", notice.key_file);
    }
    write_line(stdout, line + '}');
}

void announce_event(const std::string& event) {
    if (on_terminal(STDOUT_FILENO)) return write_line(stdout, event);
    write_line(stdout, log_line("info", event) + '}');
}

void announce_note(const std::string& note) {
    if (on_terminal(STDERR_FILENO)) return write_line(stderr, "standings: " + note);
    write_line(stderr, log_line("warning", note) + '}');
}

void announce_stop(int signal) {
    if (on_terminal(STDOUT_FILENO)) return write_line(stdout, "\nStopping ...");
    std::string line = log_line("info", "stopping") + ',';
    text::append_member(line, "signal", signal == SIGINT ? "SIGINT" : "SIGTERM");
    write_line(stdout, line + '}');
}

void announce_failure(const base::Error& error) {
    if (on_terminal(STDERR_FILENO)) return write_line(stderr, "standings: " + error.detail);
    std::string line = log_line("error", error.detail);
    write_line(stderr, line + '}');
}

}  // namespace standings::server
