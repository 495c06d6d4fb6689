// Request JSON, parsed strictly: exact number texts, no duplicate members, bounded depth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace standings::text {

// A value inside a JsonDocument.
struct JsonNode {
    enum class Kind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
    Kind kind = Kind::kNull;
    bool boolean = false;
    std::string_view key;     // inside an object
    std::string_view text;    // of a string, unescaped; of a number, as it was written
    std::uint32_t first = 0;  // child; 0: none
    std::uint32_t next = 0;   // sibling; 0: none
    std::uint32_t size = 0;   // children

    bool is_null() const { return kind == Kind::kNull; }
    bool is_string() const { return kind == Kind::kString; }
    bool is_number() const { return kind == Kind::kNumber; }
    bool is_object() const { return kind == Kind::kObject; }
    bool is_array() const { return kind == Kind::kArray; }
    bool is_bool() const { return kind == Kind::kBool; }
};

// Meant to be kept and used again: parse() forgets the document before. Owner and thread: a loop.
// The nodes' texts live until the next parse(), and need the parsed text itself to live.
class JsonDocument {
  public:
    static constexpr std::size_t kMaxDepth = 32;
    explicit JsonDocument(std::size_t max_depth = kMaxDepth) : max_depth_(max_depth) {}

    // Fails with kMalformed: not JSON, not UTF-8, a duplicate member, nested too deeply, or more
    // text behind the value.
    base::Result<const JsonNode*> parse(std::string_view text);

    const JsonNode& node(std::uint32_t index) const { return nodes_[index]; }
    const JsonNode* member(const JsonNode& object, std::string_view key) const;

    // Calls `visit(child)` for each child in order.
    template <class Visit>
    void for_each(const JsonNode& parent, Visit&& visit) const {
        for (auto at = parent.first; at != 0; at = nodes_[at].next) visit(nodes_[at]);
    }

    // Writes the value as compact JSON.
    void write(const JsonNode& node, std::string& out) const;

  private:
    friend class JsonBuilder;

    std::size_t max_depth_;
    std::vector<JsonNode> nodes_;
    std::deque<std::string> unescaped_;
};

}  // namespace standings::text
