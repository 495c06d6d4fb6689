#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string_view>

#include "cli/cells.h"

namespace standings::cli {

bool is_terminal(int file) {
    return ::isatty(file) == 1;
}

bool takes_pictures(int file) {
    const char* kind = std::getenv("TERM");
    return is_terminal(file) && kind != nullptr && std::strcmp(kind, "dumb") != 0;
}

bool takes_colour(int file) {
    const char* no_colour = std::getenv("NO_COLOR");
    return takes_pictures(file) && (no_colour == nullptr || *no_colour == '\0');
}

std::size_t width_of_terminal(int file) {
    if (const char* said = std::getenv("COLUMNS")) {
        std::size_t columns = 0;
        const char* end = said + std::strlen(said);
        const auto [at, failure] = std::from_chars(said, end, columns);
        if (failure == std::errc{} && at == end && columns > 0) return columns;
    }
    winsize size{};
    if (::ioctl(file, TIOCGWINSZ, &size) == 0) return size.ws_col;
    return 0;
}

bool confirmed(const std::string& question) {
    if (!is_terminal(STDIN_FILENO) || !is_terminal(STDERR_FILENO)) return false;
    std::fputs((printable(question) + " [y/N] ").c_str(), stderr);
    std::fflush(stderr);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

void complain(const std::string& sentence) {
    std::string text;
    for (std::string_view rest = sentence;;) {
        const std::size_t end = rest.find('\n');
        if (!rest.starts_with(' ')) text += "standings: ";
        text += printable(rest.substr(0, end)) + '\n';
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    std::fputs(text.c_str(), stderr);
}

}  // namespace standings::cli
