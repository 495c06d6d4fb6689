// Server-sent events, taken apart as they arrive.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace standings::cli {

// What stands between two empty lines. Comments alone are none.
struct ServerEvent {
    std::string name;  // "snapshot"; empty where it is not said
    std::optional<std::string> id;
    std::optional<std::string> data;
    std::optional<std::chrono::milliseconds> retry;
};

// The text/event-stream of one connection. Owner and thread: one. Bounded: kMaxEvent.
class EventReader {
  public:
    static constexpr std::size_t kMaxEvent = 4u << 20;

    // `take` says false to stop.
    using Take = std::function<bool(const ServerEvent&)>;

    // Hands over each event that is complete with `bytes`. False: `take` stopped, or an event is
    // larger than any of ours; nothing is to be fed from then on.
    bool feed(std::string_view bytes, const Take& take);

  private:
    bool end_line(const Take& take);
    void read_field();

    std::string line_;
    ServerEvent event_;
    std::size_t size_ = 0;   // of the event, as far as it has come
    bool is_begun_ = false;  // the event has a field
    bool after_cr_ = false;  // the line feed of a CR LF is still to come
};

}  // namespace standings::cli
