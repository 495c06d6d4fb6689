// A signal and what it calls.
#pragma once

#include <signal.h>

namespace standings::cli {

// While it lives, the signal calls `handler`, and whatever waits is woken; then it does what it did
// before. Main thread.
class SignalHandler {
  public:
    enum class IfIgnored { kTake, kLeave };

    // kLeave: who started the program and had the signal ignored, as nohup(1) does, keeps it so.
    SignalHandler(int number, void (*handler)(int), IfIgnored if_ignored = IfIgnored::kTake)
        : number_(number), before_() {
        ::sigaction(number_, nullptr, &before_);
        if (before_.sa_handler == SIG_IGN && if_ignored == IfIgnored::kLeave) return;
        struct sigaction action {};
        action.sa_handler = handler;
        sigemptyset(&action.sa_mask);
        ::sigaction(number_, &action, nullptr);  // without SA_RESTART
    }
    ~SignalHandler() { ::sigaction(number_, &before_, nullptr); }
    SignalHandler(const SignalHandler&) = delete;
    SignalHandler& operator=(const SignalHandler&) = delete;

  private:
    const int number_;
    struct sigaction before_;
};

}  // namespace standings::cli
