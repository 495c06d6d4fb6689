#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace load {

struct Row {
    std::string player;
    std::uint64_t rank = 0;
    std::uint64_t position = 0;
    std::string json;
};
using SharedRow = std::shared_ptr<const Row>;

enum class MessageKind : std::uint8_t {
    kUnreadable,
    kAnswer,
    kSnapshot,
    kDelta,
    kBeat,
    kEvent,
    kBye
};

// What a server says on /v1/live, taken apart.
struct Message {
    std::uint64_t number = 0;  // no two have the same
    std::string text;
    MessageKind kind = MessageKind::kUnreadable;
    std::string view;
    std::string epoch;
    std::uint64_t prev = 0;
    std::uint64_t seq = 0;
    std::uint64_t total = 0;
    std::vector<SharedRow> rows;  // of a snapshot; `upsert` of a delta
    std::vector<std::string> leave;
    bool ok = false;
    bool recovered = false;
    std::uint64_t retry_after_ms = 0;
};
using SharedMessage = std::shared_ptr<const Message>;

// Takes each message apart once, however many sockets got it. Bounded: kMostBytes of messages, the
// oldest go first.
class Messages {
  public:
    SharedMessage read(std::string_view text);

  private:
    static constexpr std::size_t kMostBytes = std::size_t{32} << 20;

    struct Hash {
        std::size_t operator()(std::string_view text) const;
    };

    std::unordered_map<std::string_view, SharedMessage, Hash> known_;  // by their own text
    std::deque<SharedMessage> in_order_;
    std::size_t bytes_ = 0;
    std::uint64_t next_number_ = 1;
};

}  // namespace load
