// Ctrl-C and SIGTERM, for a command that wants to end in order.
#pragma once

#include <string>

namespace standings::cli {

// While it lives, the first signal only asks the command to stop. Where that does not happen within
// two seconds, or at the second signal, the process ends at once: it removes the unfinished file
// and writes the last words. One at a time, in the main thread.
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
    // A file that is removed when the process ends by itself; empty: none.
    static void set_unfinished_file(std::string path);
    // The exit code of a command that a signal stopped: 130 after Ctrl-C, 1 after SIGTERM.
    static int exit_code(int signal);
};

}  // namespace standings::cli
