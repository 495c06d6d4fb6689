// Ctrl-C and SIGTERM, for a command that wants to end in order.
#pragma once

#include <string>

namespace standings::cli {

// While it lives, the first signal only asks the command to stop. Where that does not happen within
// two seconds, or at the second signal, the process ends at once with the last words. One at a
// time, in the main thread.
class StopRequest {
  public:
    StopRequest();
    ~StopRequest();
    StopRequest(const StopRequest&) = delete;
    StopRequest& operator=(const StopRequest&) = delete;

    // The signal that came; 0: none.
    static int signal();
    // What is written to standard error when the process ends by itself.
    static void set_last_words(std::string words);
    static void write_last_words();
    // The exit code of a command that a signal stopped: 130 after Ctrl-C, 1 after SIGTERM.
    static int exit_code(int signal);
};

}  // namespace standings::cli
