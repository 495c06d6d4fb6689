#include "cli/watch/watch_output.h"

#include <poll.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "cli/cells.h"
#include "cli/scores.h"
#include "cli/terminal.h"
#include "cli/watch/terminal_screen.h"

namespace standings::cli {
namespace {

// The other end of a pipe is closed, or the terminal has been.
bool is_reader_gone() {
    pollfd out{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
    return ::poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

class ScreenOutput final : public WatchOutput {
  public:
    bool tell(std::string_view) override { return true; }

    bool show(const Picture& picture) override {
        // Not before there is something to see: a refusal at the start is a sentence alone.
        if (!screen_) screen_.emplace();
        const auto [columns, lines] = screen_->size();
        return screen_->show(
            draw(picture,
                 {.columns = columns, .lines = lines, .has_colour = takes_colour(STDOUT_FILENO)}));
    }
    bool look() override { return !is_reader_gone() && (!screen_ || !screen_->look()); }
    int keys() const override { return screen_ ? screen_->keys() : -1; }
    // Before there is a picture that has it.
    void say(const std::string& sentence) const override {
        if (!screen_) complain(sentence);
    }

  private:
    std::optional<TerminalScreen> screen_;
};

class TableOutput final : public WatchOutput {
  public:
    bool tell(std::string_view) override { return true; }

    bool show(const Picture& picture) override {
        Listing listing(standings_columns(picture.head.columns));
        for (const LiveRow* row : picture.view.wanted(picture.rows)) listing.add(row->json);
        std::string table = listing.shown_as(Format::kTable, {},
                                             {.width = width_of_terminal(STDOUT_FILENO),
                                              .bold_head = false,
                                              .isolates = is_terminal(STDOUT_FILENO),
                                              .colour = {}});
        if (table == shown_) return true;
        const bool is_first = shown_.empty();
        shown_ = std::move(table);
        return write_out(is_first ? shown_ : '\n' + shown_);
    }
    bool look() override { return !is_reader_gone(); }
    void say(const std::string& sentence) const override { complain(sentence); }

  private:
    std::string shown_;
};

class MessageOutput final : public WatchOutput {
  public:
    bool tell(std::string_view json) override {
        std::string line = is_terminal(STDOUT_FILENO) ? printable_json(json) : std::string(json);
        return write_out(line + '\n');
    }
    bool show(const Picture&) override { return true; }
    bool look() override { return !is_reader_gone(); }
    void say(const std::string& sentence) const override { complain(sentence); }
};

}  // namespace

std::unique_ptr<WatchOutput> watch_output(Format format) {
    if (format == Format::kNdjson) return std::make_unique<MessageOutput>();
    if (takes_pictures(STDOUT_FILENO)) return std::make_unique<ScreenOutput>();
    return std::make_unique<TableOutput>();
}

}  // namespace standings::cli
