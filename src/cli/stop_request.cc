#include "cli/stop_request.h"

#include <unistd.h>

#include <csignal>
#include <utility>

#include "cli/command_line.h"

namespace standings::cli {
namespace {

constexpr unsigned kPatienceSeconds = 2;
constexpr int kInterrupted = 130;

volatile std::sig_atomic_t g_signal = 0;
// Changed only while no handler that reads them can run.
std::string g_last_words;       // NOLINT(cert-err58-cpp)
std::string g_unfinished_file;  // NOLINT(cert-err58-cpp)

void end_now(int number) {
    // Nothing else is allowed in a handler.
    if (!g_unfinished_file.empty()) ::unlink(g_unfinished_file.c_str());
    StopRequest::write_last_words();
    ::_exit(StopRequest::exit_code(number));
}

void on_signal(int number) {
    if (g_signal != 0) end_now(g_signal);
    g_signal = number;
    ::alarm(kPatienceSeconds);
}

void on_alarm(int) {
    end_now(g_signal);
}

void handle(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
}

void replace_without_signals(std::string& text, std::string value) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    text = std::move(value);
    sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

StopRequest::StopRequest() {
    g_signal = 0;
    handle(SIGALRM, on_alarm);
    handle(SIGINT, on_signal);
    handle(SIGTERM, on_signal);
}

StopRequest::~StopRequest() {
    ::alarm(0);
    handle(SIGINT, SIG_DFL);
    handle(SIGTERM, SIG_DFL);
    handle(SIGALRM, SIG_DFL);
}

int StopRequest::signal() {
    return g_signal;
}

void StopRequest::set_last_words(std::string words) {
    replace_without_signals(g_last_words, std::move(words));
}

void StopRequest::set_unfinished_file(std::string path) {
    replace_without_signals(g_unfinished_file, std::move(path));
}

void StopRequest::write_last_words() {
    const auto written = ::write(STDERR_FILENO, g_last_words.data(), g_last_words.size());
    static_cast<void>(written);
}

int StopRequest::exit_code(int signal) {
    return signal == SIGINT ? kInterrupted : int{kFailed};
}

}  // namespace standings::cli
