// Ctrl-C, SIGTERM and SIGHUP, for a command that wants to end in order.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "cli/signal_handler.h"

namespace standings::cli {

// While it lives, the first signal only asks the command to stop. Where that does not happen within
// two seconds, or at the second signal (another SIGHUP is none), the process ends at once with the
// last words. One at a time, in the main thread.
class StopRequest {
  public:
    StopRequest();
    ~StopRequest() { ::alarm(0); }
    StopRequest(const StopRequest&) = delete;
    StopRequest& operator=(const StopRequest&) = delete;

    // The signal that came; 0: none.
    static int signal();
    // What is written to standard error when the process ends by itself.
    static void set_last_words(std::string words);
    static void write_last_words();
    // Called first when the process ends by itself: in a handler of a signal, so it may do little.
    static void set_last_act(void (*act)());
    // Files, and folders that are empty by then, that go when the process ends by itself; in this
    // order.
    static void set_litter(std::vector<std::string> paths);
    static void remove_litter();
    // The exit code of a command that a signal stopped: 130 after Ctrl-C, else 1.
    static int exit_code(int signal);
    // The end in order of a command that a signal stopped: litter, last words, exit code.
    static int end();

    // While it lives, no signal ends the process: what must be done in one go is. Looks at nothing
    // that came before.
    class Hold {
      public:
        Hold();
        ~Hold();
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;

      private:
        sigset_t before_;
    };

  private:
    struct Reset {
        Reset();
    };
    // Before a signal can come.
    const Reset reset_;
    const SignalHandler alarm_;
    const SignalHandler interrupt_;
    const SignalHandler terminate_;
    const SignalHandler hang_up_;
};

}  // namespace standings::cli
