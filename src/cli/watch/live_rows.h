// The rows of a view, kept by the messages of the live protocol (docs/live.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "text/json_document.h"

namespace standings::cli {

struct LiveRow {
    std::string player;
    std::string name;  // empty: none
    std::uint64_t rank = 0;
    std::uint64_t position = 0;
    std::string json;  // as the server wrote it
};

// Promise: after each message that was applied, what a read of the view at seq() gives. Owner and
// thread: the command. Bounded: kMostRows.
class LiveRows {
  public:
    // The largest view has so many.
    static constexpr std::size_t kMostRows = 100;

    // A snapshot or a delta. False: it does not follow from what is here, or is none; the rows are
    // then as they were.
    bool apply(const text::JsonDocument& document, const text::JsonNode& message);
    // A beat: the rows are the same up to `seq`.
    void beat(std::uint64_t seq) { seq_ = seq; }

    // By position.
    std::vector<const LiveRow*> in_order() const;
    const LiveRow* find(std::string_view player) const;

    std::uint64_t seq() const { return seq_; }
    std::uint64_t total() const { return total_; }
    // Its name; empty before the first message.
    const std::string& view() const { return view_; }

  private:
    std::map<std::string, LiveRow, std::less<>> rows_;
    std::string view_;
    std::uint64_t seq_ = 0;
    std::uint64_t total_ = 0;
};

}  // namespace standings::cli
