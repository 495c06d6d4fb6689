// A terminal on which one picture stands and changes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "cli/signal_handler.h"

namespace standings::cli {

// Standard output as a screen of its own, without cursor and echo; as it was before once this is
// gone, while the program is suspended (Ctrl-Z), and when it is ended by force, but for SIGKILL.
// Needs a StopRequest beside it. One at a time, in the main thread. Holds no more than the picture:
// a terminal that is slow makes show() wait.
class TerminalScreen {
  public:
    TerminalScreen();
    ~TerminalScreen();
    TerminalScreen(const TerminalScreen&) = delete;
    TerminalScreen& operator=(const TerminalScreen&) = delete;

    struct Size {
        std::size_t columns;
        std::size_t lines;
    };
    Size size() const;

    // Puts up the lines, unless they stand there already. False: the terminal is gone.
    bool show(const std::string& lines);
    // Follows Ctrl-Z and what comes after it, and new sizes: what was shown then counts no more.
    // Reads the keys; true: one that ends it.
    bool look();
    // What can be read when look() has something to do; -1: no keys here.
    int keys() const;

  private:
    void enter();
    void leave();
    void suspend();
    void follow_suspension();

    bool has_keys_ = false;  // standard input is a terminal that is there
    std::string shown_;
    const SignalHandler other_size_;
    const SignalHandler back_;
    const SignalHandler quit_;
    std::optional<SignalHandler> suspended_;
};

// Writes all to standard output. False: it cannot be, or a signal asks to stop.
bool write_out(std::string_view bytes);

}  // namespace standings::cli
