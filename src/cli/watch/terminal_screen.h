// A terminal on which one picture stands and changes.
#pragma once

#include <termios.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace standings::cli {

// Standard output as a screen of its own, without cursor and echo; as it was before once this is
// gone, while the program is suspended (Ctrl-Z), and when it is ended by force. Needs a StopRequest
// beside it. One at a time, in the main thread. Holds no more than the picture: a terminal that is
// slow makes show() wait.
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

    std::optional<termios> echo_;  // of standard input before, where it is a terminal
    std::string shown_;
};

// Writes all to standard output. False: it cannot be, or a signal asks to stop.
bool write_out(std::string_view bytes);

}  // namespace standings::cli
