#include "cli/stop_request.h"

#include <unistd.h>

#include <csignal>
#include <utility>
#include <vector>

#include "cli/command_line.h"

namespace standings::cli {
namespace {

constexpr unsigned kPatienceSeconds = 2;
constexpr int kInterrupted = 130;

volatile std::sig_atomic_t g_signal = 0;
// Changed only while no handler that reads it can run: set before anything is sent.
std::string g_last_words;           // NOLINT(cert-err58-cpp)
std::vector<std::string> g_litter;  // NOLINT(cert-err58-cpp)
void (*volatile g_last_act)() = nullptr;

void end_now(int number) {
    // Nothing else is allowed in a handler.
    if (g_last_act != nullptr) g_last_act();
    StopRequest::remove_litter();
    StopRequest::write_last_words();
    ::_exit(StopRequest::exit_code(number));
}

void on_signal(int number) {
    // Of a terminal that is closed it comes twice: from the shell, and when the shell is gone.
    if (number == SIGHUP && g_signal != 0) return;
    if (g_signal != 0) end_now(g_signal);
    g_signal = number;
    ::alarm(kPatienceSeconds);
}

void on_alarm(int) {
    end_now(g_signal);
}

}  // namespace

StopRequest::Reset::Reset() {
    g_signal = 0;
    g_last_act = nullptr;
    g_last_words.clear();
    g_litter.clear();
}

StopRequest::StopRequest()
    : alarm_(SIGALRM, on_alarm),
      interrupt_(SIGINT, on_signal),
      terminate_(SIGTERM, on_signal),
      hang_up_(SIGHUP, on_signal, SignalHandler::IfIgnored::kLeave) {}

int StopRequest::signal() {
    return g_signal;
}

void StopRequest::set_last_words(std::string words) {
    const Hold hold;
    g_last_words = std::move(words);
}

void StopRequest::set_last_act(void (*act)()) {
    g_last_act = act;
}

void StopRequest::set_litter(std::vector<std::string> paths) {
    const Hold hold;
    g_litter = std::move(paths);
}

void StopRequest::remove_litter() {
    for (const std::string& path : g_litter) {
        if (::unlink(path.c_str()) != 0) ::rmdir(path.c_str());
    }
}

void StopRequest::write_last_words() {
    const auto written = ::write(STDERR_FILENO, g_last_words.data(), g_last_words.size());
    static_cast<void>(written);
}

int StopRequest::exit_code(int signal) {
    return signal == SIGINT ? kInterrupted : int{kFailed};
}

int StopRequest::end() {
    remove_litter();
    write_last_words();
    return exit_code(g_signal);
}

StopRequest::Hold::Hold() : before_() {
    sigset_t ours;
    sigemptyset(&ours);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) sigaddset(&ours, number);
    sigprocmask(SIG_BLOCK, &ours, &before_);
}

StopRequest::Hold::~Hold() {
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace standings::cli
