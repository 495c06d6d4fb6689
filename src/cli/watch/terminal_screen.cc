#include "cli/watch/terminal_screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

#include "cli/stop_request.h"

namespace standings::cli {
namespace {

// The other screen, without cursor; lines end at the edge.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[?2026l\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
// Terminals that know it (and others pass over it) show what comes between these at once.
constexpr std::string_view kBegin = "\x1b[?2026h\x1b[H";
constexpr std::string_view kEnd = "\x1b[?2026l";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

volatile std::sig_atomic_t g_is_other_size = 0;
volatile std::sig_atomic_t g_is_suspended = 0;
volatile std::sig_atomic_t g_is_back = 0;

// How standard input was before; where it is none, of no use. Written before it is read.
termios g_before{};
volatile std::sig_atomic_t g_has_before = 0;
volatile std::sig_atomic_t g_is_up = 0;

// Also in a handler of a signal. Nothing, where it has been given back.
void give_back(int patience_milliseconds) {
    if (g_is_up == 0) return;
    // A terminal that takes nothing, as after Ctrl-S, is not waited for.
    pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&out, 1, patience_milliseconds) > 0) {
        const auto written = ::write(STDOUT_FILENO, kLeave.data(), kLeave.size());
        static_cast<void>(written);
    }
    if (g_has_before != 0) ::tcsetattr(STDIN_FILENO, TCSANOW, &g_before);
    g_is_up = 0;  // not before: who ends it by force meanwhile does it again
}

bool is_in_front() {
    return ::tcgetpgrp(STDOUT_FILENO) == ::getpgrp();
}

void give_back_now() {
    give_back(0);
}

// Ctrl-\: whoever wants it ended by force, or a core of it.
void on_quit(int number) {
    give_back_now();
    std::signal(number, SIG_DFL);
    ::raise(number);  // comes when this returns
}

}  // namespace

TerminalScreen::TerminalScreen()
    : other_size_(SIGWINCH, [](int) { g_is_other_size = 1; }),
      back_(SIGCONT, [](int) { g_is_back = 1; }),
      quit_(SIGQUIT, on_quit, SignalHandler::IfIgnored::kLeave) {
    g_has_before = ::tcgetattr(STDIN_FILENO, &g_before) == 0 ? 1 : 0;
    has_keys_ = g_has_before != 0;
    g_is_other_size = 0;
    g_is_suspended = 0;
    g_is_back = 0;
    follow_suspension();
    StopRequest::set_last_act(give_back_now);
    enter();
}

TerminalScreen::~TerminalScreen() {
    leave();
    StopRequest::set_last_act(nullptr);
}

void TerminalScreen::follow_suspension() {
    suspended_.emplace(SIGTSTP, [](int) { g_is_suspended = 1; });
}

void TerminalScreen::enter() {
    g_is_up = 1;
    if (has_keys_) {
        termios quiet = g_before;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
        quiet.c_cc[VMIN] = 0;
        quiet.c_cc[VTIME] = 0;
        ::tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
    }
    write_out(kEnter);
    shown_.clear();
}

void TerminalScreen::leave() {
    constexpr int kPatience = 250;
    give_back(kPatience);
}

void TerminalScreen::suspend() {
    leave();
    suspended_.reset();
    ::raise(SIGTSTP);
    follow_suspension();
    g_is_back = 0;
    // In the background it would be stopped again, and not hear what may follow: a shell's kill
    // continues a job first.
    constexpr int kLooks = 20;
    constexpr int kPause = 50;  // milliseconds
    for (int i = 0; i < kLooks && StopRequest::signal() == 0 && !is_in_front(); ++i) {
        ::poll(nullptr, 0, kPause);
    }
    if (StopRequest::signal() == 0) enter();
}

TerminalScreen::Size TerminalScreen::size() const {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        return {size.ws_col, size.ws_row};
    }
    constexpr Size kUsual{80, 24};
    return kUsual;
}

bool TerminalScreen::show(const std::string& lines) {
    if (lines == shown_) return true;
    // What stood there is cleared before a line: behind one as wide as the window, its last letter
    // would go too.
    std::string out(kBegin);
    for (std::string_view rest = lines;;) {
        const std::size_t end = rest.find('\n');
        const bool is_last = end == std::string_view::npos;
        out += is_last ? kClearBelow : kClearLine;
        out += rest.substr(0, end);
        if (is_last) break;
        out += "\r\n";
        rest.remove_prefix(end + 1);
    }
    out += kEnd;
    shown_ = lines;
    return write_out(out);
}

int TerminalScreen::keys() const {
    return has_keys_ ? STDIN_FILENO : -1;
}

bool TerminalScreen::look() {
    if (g_is_suspended != 0) {
        g_is_suspended = 0;
        suspend();
    }
    if (g_is_back != 0) {  // from a SIGSTOP, which nobody hears of
        g_is_back = 0;
        enter();
    }
    if (g_is_other_size != 0) {
        g_is_other_size = 0;
        shown_.clear();
    }
    if (!has_keys_) return false;
    pollfd in{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&in, 1, 0) <= 0) return false;
    // Else whoever waits for a key would be woken for ever.
    has_keys_ = (in.revents & (POLLHUP | POLLERR)) == 0;
    char keys[64];
    const ssize_t count = ::read(STDIN_FILENO, keys, sizeof keys);
    return count > 0 && std::string_view(keys, static_cast<std::size_t>(count)).find('q') !=
                            std::string_view::npos;
}

bool write_out(std::string_view bytes) {
    while (!bytes.empty()) {
        if (StopRequest::signal() != 0) return false;
        const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
            ::poll(&out, 1, 1000);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

}  // namespace standings::cli
