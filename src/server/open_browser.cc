#include "server/open_browser.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace standings::server {
namespace {

bool is_set(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

// In the child: async-signal-safe calls only, since other threads may hold locks at the fork.
[[noreturn]] void become_browser(const char* const* command) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    const int nowhere = ::open("/dev/null", O_RDWR);
    if (nowhere >= 0) {
        ::dup2(nowhere, STDIN_FILENO);
        ::dup2(nowhere, STDOUT_FILENO);
        ::dup2(nowhere, STDERR_FILENO);
    }
    ::execvp(command[0], const_cast<char* const*>(command));
    ::_exit(127);
}

}  // namespace

bool has_desktop() {
    return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

void open_browser(const std::string& url) {
    const char* const command[] = {"xdg-open", url.c_str(), nullptr};
    const pid_t child = ::fork();
    if (child < 0) return;
    if (child == 0) {
        ::setsid();
        // The grandchild belongs to init, which buries it.
        const pid_t grandchild = ::fork();
        if (grandchild == 0) become_browser(command);
        ::_exit(0);
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace standings::server
